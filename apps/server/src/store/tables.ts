// SPDX-License-Identifier: Apache-2.0

import type { GrantTables } from './grant-tables.ts';

/** The schema as code sees it, the same in SQLite and PostgreSQL. Times are milliseconds since 1970, flags are 0 and 1, digests are lower-case hexadecimal. */
export interface Tables extends GrantTables {
  settings: SettingTable;
  devices: DeviceTable;
  device_identities: DeviceIdentityTable;
  device_boots: DeviceBootTable;
  device_evidence: DeviceEvidenceTable;
  enrolments: EnrolmentTable;
  used_nonces: UsedNonceTable;
  boot_logs: BootLogTable;
  verdicts: VerdictTable;
  verdict_details: VerdictDetailTable;
  verdict_groups: VerdictGroupTable;
  manifests: ManifestTable;
  reference_parts: ReferencePartTable;
  version_floors: VersionFloorTable;
  baselines: BaselineTable;
  policies: PolicyTable;
  trust_anchors: TrustAnchorTable;
  inventory: InventoryTable;
  join_tokens: JoinTokenTable;
  operators: OperatorTable;
}

interface SettingTable {
  key: string;
  value: string;
}

export interface DeviceTable {
  id: string;
  /** Grows with each change; a writer that saw another one looks again. */
  revision: number;
  life: 'enrolled' | 'quarantined' | 'reset';
  /** Of the endorsement key's SubjectPublicKeyInfo. */
  ek_sha256: string;
  /** Hexadecimal TPM2B_NAME contents. */
  ak_name: string;
  ak_public: Uint8Array;
  joined_by: string;
  enrolled_at_ms: number;
  verdict_status: 'affirming' | 'warning' | 'contraindicated' | null;
  is_trusted: number;
  attested_at_ms: number | null;
  /** After this moment the last verdict says nothing any more. */
  trusted_until_ms: number | null;
  /** 1 when that moment has passed and was told of. */
  is_stale: number;
  verdict_sha256: string | null;
  image_name: string | null;
  image_version: string | null;
  boot_log_sha256: string | null;
  /** JSON: what the appraisal remembers of this machine. */
  state: string | null;
  /** JSON: PCR 15 that an operator has vouched for. */
  pinned_system: string | null;
}

/** What never changes of a device and is seldom looked at: apart, so that a verdict does not rewrite it. */
interface DeviceIdentityTable {
  device_id: string;
  /** TPMT_PUBLIC. */
  ek_public: Uint8Array;
  /** JSON: what the certificates say of TPM and platform. */
  facts: string;
  /** JSON: base64url of DER. */
  ek_certificates: string;
  /** JSON: likewise. */
  platform_certificates: string;
}

/** What a device's boot came to: the part of its state that stays as it is. */
interface DeviceBootTable {
  device_id: string;
  /** JSON. The device's state has its digest: another is not its own. */
  settled: string;
}

/** The evidence of a boot's first attestation, and of the last one that failed: to look at, to learn from. */
interface DeviceEvidenceTable {
  device_id: string;
  at_ms: number;
  /** JSON of the message, without keys and secrets. */
  body: string;
}

interface EnrolmentTable {
  id: string;
  device_id: string;
  /** JSON of the request. */
  request: string;
  ek_sha256: string;
  ak_name: string;
  ek_facts: string;
  joined_by: string;
  token_id: string | null;
  /** Of the secret that only the TPM can tell. */
  secret_sha256: string;
  expires_at_ms: number;
  state: 'challenged' | 'proved' | 'approved' | 'enrolled' | 'refused';
}

interface UsedNonceTable {
  nonce: string;
  expires_at_ms: number;
}

interface BootLogTable {
  sha256: string;
  bytes: Uint8Array;
  /** When it was last sent. */
  created_at_ms: number;
}

interface VerdictTable {
  device_id: string;
  at_ms: number;
  status: 'affirming' | 'warning' | 'contraindicated';
  is_trusted: number;
  detail_sha256: string;
  /** The entry of the audit log that stands for it; null for one from before there were such. */
  audit_entry: string | null;
}

/** The verdicts of one transaction: an entry of the audit log has the root of their tree. */
interface VerdictGroupTable {
  entry_id: string;
  /** JSON, in the order of the tree: of each verdict its device, its time, and the hash of its text in base64url. */
  members: string;
}

/** Verdicts mostly repeat what the one before said: it is kept once. */
interface VerdictDetailTable {
  sha256: string;
  /** JSON. */
  body: string;
  /** A verdict said it at this time or up to an hour later. */
  used_at_ms: number;
}

export type ReferenceLife = 'candidate' | 'active' | 'retiring' | 'revoked';

interface ManifestTable {
  sha256: string;
  name: string;
  version: string;
  envelope: Uint8Array;
  life: ReferenceLife;
  retires_at_ms: number | null;
  added_at_ms: number;
}

interface ReferencePartTable {
  sha256: string;
  bytes: Uint8Array;
}

interface VersionFloorTable {
  image: string;
  version: string;
}

interface BaselineTable {
  sha256: string;
  vendor: string;
  model: string;
  firmware_version: string;
  body: string;
  life: 'candidate' | 'active' | 'revoked';
  learned_from: string | null;
  added_at_ms: number;
}

interface PolicyTable {
  name: string;
  version: number;
  text: string;
  sha256: string;
  is_active: number;
  added_at_ms: number;
}

interface TrustAnchorTable {
  sha256: string;
  role: 'tpm-maker' | 'platform-maker' | 'manifest-signer';
  certificate: Uint8Array;
  subject: string;
  not_after_ms: number;
  added_at_ms: number;
}

interface InventoryTable {
  id: string;
  device_id: string;
  kind: 'ek-certificate' | 'ek-key' | 'platform-certificate';
  sha256: string;
  added_at_ms: number;
}

interface JoinTokenTable {
  id: string;
  sha256: string;
  device_id: string | null;
  label: string;
  expires_at_ms: number;
  used_at_ms: number | null;
  used_by: string | null;
  created_by: string;
}

interface OperatorTable {
  id: string;
  name: string;
  role: 'viewer' | 'operator' | 'admin' | 'proxy';
  token_sha256: string | null;
  certificate_sha256: string | null;
  created_at_ms: number;
}
