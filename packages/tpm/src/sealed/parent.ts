// SPDX-License-Identifier: Apache-2.0
import { createPrimary, type LoadedObject } from '../local/objects.ts';
import type { PublicArea } from '../name.ts';
import { withFlushed } from '../session/scope.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { TPM_RH } from '../structures/handle.ts';
import { srkTemplate, storageTemplate } from '../templates.ts';
import type { TpmTransport } from '../transport.ts';

/**
 * The primary key of the owner's hierarchy that a sealed object lies under, made anew each time: the same template gives
 * the same key. 'srk' is the TCG's; 'plain' the one that tpm2-tools (and so Clevis) and systemd up to 253 ask for;
 * 'tpm2-totp' the one of that program.
 */
export interface SealParent {
  readonly template: 'srk' | 'plain' | 'tpm2-totp';
  readonly key: 'ecc' | 'rsa';
  /** Its nameAlg; that of the SRK is SHA-256. */
  readonly hash: TpmHash;
}

export const SRK_PARENT: SealParent = { template: 'srk', key: 'ecc', hash: 'sha256' };

function parentTemplate({ template, key, hash }: SealParent): PublicArea {
  return template === 'srk' ? srkTemplate(key) : storageTemplate(key, hash, { noDA: template === 'tpm2-totp' });
}

/**
 * The parent, for as long as `use` runs.
 * @param ownerAuth the owner's authValue, empty unless given.
 * @throws as `execute`
 */
export async function withParent<T>(
  tpm: TpmTransport,
  parent: SealParent,
  ownerAuth: Uint8Array | undefined,
  use: (parent: LoadedObject) => Promise<T>,
): Promise<T> {
  const hierarchy = { handle: TPM_RH.owner, ...(ownerAuth === undefined ? {} : { auth: ownerAuth }) };
  const options = { allowPlaintext: ownerAuth === undefined };
  const key = await createPrimary(tpm, { template: parentTemplate(parent), hierarchy }, options);
  return withFlushed(tpm, key, () => use(key));
}
