// SPDX-License-Identifier: Apache-2.0
import {
  type CedarEngine,
  type PreparedPolicy,
  type PreparedReferences,
  preparePolicy,
  prepareReferences,
  STRICT_POLICY,
} from '@vouchsafe/appraise';
import { buildTrustStore, type TrustStore } from '@vouchsafe/identity';
import { decodeCertificate } from '@vouchsafe/pki';
import type { Rows } from '../../store/rows.ts';
import { sha256OfText } from '../random.ts';
import { loadBaselines } from './load-baselines.ts';
import { loadImages } from './load-images.ts';

/** The policy that decides over boots. */
export const TRUST_POLICY = 'trust';

/** All that a verdict depends on beside the machine, as it was at one moment. Immutable. */
export interface Snapshot {
  readonly generation: number;
  readonly references: PreparedReferences;
  readonly policy: PreparedPolicy;
  readonly trust: Trust;
}

export interface Trust {
  /** Of all of it: another digest is another store. */
  readonly sha256: string;
  readonly tpmMakers: TrustStore;
  readonly platformMakers: TrustStore;
  /** SubjectPublicKeyInfo. */
  readonly manifestKeys: readonly Uint8Array[];
}

/** Reads and prepares everything: once for each change, not for each appraisal. */
export async function loadSnapshot(rows: Rows, engine: CedarEngine, generation: number): Promise<Snapshot> {
  const trust = await loadTrust(rows);
  const floors = await rows.references.floors();
  const references = prepareReferences({
    images: await loadImages(rows, trust.manifestKeys),
    baselines: await loadBaselines(rows),
    versionFloors: Object.fromEntries(floors.map(({ image, version }) => [image, version])),
  });
  return { generation, references, policy: await loadPolicy(rows, engine), trust };
}

/** The active version; the strict policy of the product where nobody has put another. Never none. */
async function loadPolicy(rows: Rows, engine: CedarEngine): Promise<PreparedPolicy> {
  const active = (await rows.policies.versions(TRUST_POLICY)).find(({ is_active }) => is_active === 1);
  if (active === undefined) return preparePolicy(engine, 'strict', STRICT_POLICY);
  return preparePolicy(engine, `${TRUST_POLICY}/${active.version}`, active.text);
}

async function loadTrust(rows: Rows): Promise<Trust> {
  const anchors = await rows.trust.anchors();
  const of = (role: (typeof anchors)[number]['role']) =>
    anchors.filter((row) => row.role === role).map(({ certificate }) => decodeCertificate(certificate));
  return {
    sha256: sha256OfText(anchors.map(({ role, sha256 }) => `${role} ${sha256}`).join('\n')),
    tpmMakers: buildTrustStore(of('tpm-maker')),
    platformMakers: buildTrustStore(of('platform-maker')),
    manifestKeys: of('manifest-signer').map(({ publicKey }) => publicKey.bytes),
  };
}
