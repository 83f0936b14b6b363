// SPDX-License-Identifier: Apache-2.0

import type { SecretRow } from '../../store/rows/secrets.ts';
import type { Rows } from '../../store/rows.ts';
import type { KeyRing } from './key-ring.ts';
import { envelopeOf, envelopeRow } from './rotate.ts';
import { sealedNames } from './sealed-names.ts';

/** Versions that are kept: the one in use, and what to go back to. */
const KEPT_VERSIONS = 10;

export interface NewSecret {
  readonly name: string;
  readonly plain: Uint8Array;
  readonly policy: { readonly name: string; readonly text: string };
  readonly by: string;
  readonly nowMs: number;
}

/** Stores a new version, which machines get from now on. @returns its number */
export async function putSecret(tx: Rows, ring: KeyRing, secret: NewSecret): Promise<number> {
  const { name, plain, policy, by, nowMs } = secret;
  const version = ((await tx.secrets.find(name))?.version ?? 0) + 1;
  const row: SecretRow = { name, version, policy_name: policy.name, policy_text: policy.text, updated_at_ms: nowMs };
  const envelope = envelopeRow(ring.seal(plain, sealedNames.secret(name, version)));
  await tx.secrets.put(row, { name, version, ...envelope, created_at_ms: nowMs, created_by: by });
  await tx.secrets.removeVersionsBelow(name, version - KEPT_VERSIONS + 1);
  return version;
}

/** The current version's contents; undefined when the secret is not there any more. */
export async function openSecret(
  rows: Rows,
  ring: KeyRing,
  { name, version }: Pick<SecretRow, 'name' | 'version'>,
): Promise<Uint8Array | undefined> {
  const row = await rows.secrets.findVersion(name, version);
  return row === undefined ? undefined : ring.open(envelopeOf(row), sealedNames.secret(name, version));
}
