// SPDX-License-Identifier: Apache-2.0

/** What is granted, and the record of it. As `tables.ts`. */
export interface GrantTables {
  service_keys: ServiceKeyTable;
  device_keys: DeviceKeyTable;
  certificates: CertificateTable;
  revocation_lists: RevocationListTable;
  secrets: SecretTable;
  secret_versions: SecretVersionTable;
  audit_entries: AuditEntryTable;
  audit_log: AuditLogTable;
  audit_nodes: AuditNodeTable;
  audit_heads: AuditHeadTable;
  webhooks: WebhookTable;
}

/** Columns of what is encrypted: see `Envelope`. */
interface EnvelopeColumns {
  key_id: string;
  wrapped_key: Uint8Array;
  box: Uint8Array;
}

/** Keys of the service itself: PKCS #8 in PEM, encrypted. Instances behind one address share them so. */
interface ServiceKeyTable extends EnvelopeColumns {
  name: string;
  /** DER, of an authority. */
  certificate: Uint8Array | null;
  created_at_ms: number;
}

/** Keys of a machine's TPM that its attestation key certified. */
interface DeviceKeyTable {
  device_id: string;
  use: 'client' | 'decryption';
  spki: Uint8Array;
  certified_at_ms: number;
}

export interface CertificateTable {
  /** Hexadecimal. */
  serial: string;
  authority: 'client' | 'attestation';
  device_id: string;
  /** Of the DER. */
  sha256: string;
  issued_at_ms: number;
  not_after_ms: number;
  revoked_at_ms: number | null;
  reason: string | null;
  /** Of an attestation key's, which is shown again to a machine that asks again. */
  der: Uint8Array | null;
}

interface RevocationListTable {
  authority: 'client' | 'attestation';
  /** Grows with each revocation. */
  revision: number;
  /** The revision that the list below tells of. */
  listed_revision: number;
  number: number;
  der: Uint8Array | null;
  this_update_ms: number;
}

interface SecretTable {
  name: string;
  version: number;
  policy_name: string;
  policy_text: string;
  updated_at_ms: number;
}

interface SecretVersionTable extends EnvelopeColumns {
  name: string;
  version: number;
  created_at_ms: number;
  created_by: string;
}

interface AuditEntryTable {
  /** Grows with time. */
  id: string;
  /** The very text that the tree is made of. */
  leaf: string;
  /** Its place in the tree; null until the sequencer gave it one. */
  place: number | null;
}

/** One row: how the tree stands. */
interface AuditLogTable {
  origin: string;
  /** JSON of the hashes of complete subtrees, base64. */
  nodes: string;
  size: number;
  /** Entries before this one are gone; `first_nodes` are the tree's hashes there. */
  first: number;
  first_nodes: string;
}

/** Complete subtrees of 256, 65,536 … entries. */
interface AuditNodeTable {
  level: number;
  position: number;
  hash: Uint8Array;
}

interface AuditHeadTable {
  size: number;
  note: string;
  at_ms: number;
}

interface WebhookTable extends EnvelopeColumns {
  id: string;
  url: string;
  /** JSON: kinds of acts, or their beginnings with a star; empty for all. */
  kinds: string;
  /** The next place in the audit log that is to be told of. */
  next_place: number;
  failures: number;
  next_at_ms: number;
  last_error: string | null;
  created_at_ms: number;
}
