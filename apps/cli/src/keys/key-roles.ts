// SPDX-License-Identifier: Apache-2.0
import type { GeneratedKeyType } from '@vouchsafe/crypto/signing';
import { OID } from '@vouchsafe/pki';

/** A key of an operator: what its files are called, and what it is for. */
export interface KeyRole {
  readonly name: string;
  readonly type: GeneratedKeyType;
  /** For the README beside the keys. */
  readonly purpose: string;
  readonly keeping: string;
  /** Purposes that its certificate names. RFC 5280, 4.2.1.12. */
  readonly extKeyUsage?: readonly string[];
}

/** Certificates and signatures by it are the same bytes each time: RSA PKCS #1 v1.5 and Ed25519 have no random part. */
export const KEY_ROLES = {
  pk: {
    name: 'PK',
    type: 'rsa-2048',
    purpose: 'platform key: owns a machine, and signs changes of KEK',
    keeping: 'OFFLINE. Needed again only to exchange KEK.',
  },
  kek: {
    name: 'KEK',
    type: 'rsa-2048',
    purpose: 'key exchange key: signs changes of db and dbx',
    keeping: 'OFFLINE. Needed again only to change which keys and files machines take.',
  },
  db: {
    name: 'db',
    type: 'rsa-2048',
    purpose: 'signs what firmware starts: UKIs, addons, boot loaders',
    keeping: 'Where images are built; a token or key service where there is one.',
    extKeyUsage: [OID.codeSigning],
  },
  pcr: {
    name: 'pcr',
    type: 'rsa-2048',
    purpose: 'signs PCR policies: TPMs give secrets to the images that it has signed for',
    keeping: 'Where images are built; a token or key service where there is one.',
  },
  verity: {
    name: 'verity',
    type: 'rsa-2048',
    purpose: 'signs root hashes of dm-verity, for the kernel and systemd',
    keeping: 'Where images are built; a token or key service where there is one.',
  },
  manifest: {
    name: 'manifest',
    type: 'ed25519',
    purpose: 'signs manifests: the reference values that machines are appraised by',
    keeping: 'Where images are built; the service has the public half only.',
  },
} as const satisfies Readonly<Record<string, KeyRole>>;

export type KeyRoleName = keyof typeof KEY_ROLES;
