// SPDX-License-Identifier: Apache-2.0
import { generateKeyPair, publicKeyOf, signDigest } from '@vouchsafe/crypto/signing';
import { certificateLists, encodeSignatureLists, type SecureBootKeys } from '@vouchsafe/pe';
import { type Certificate, type DigestSigner, issueSelfSigned } from '@vouchsafe/pki';

/** Owner of the lab's entries in the variables. */
const OWNER = 'd2f1c0de-7a3b-4a0e-8f55-6a6c61620001';
/** 2023-11-14 22:13:20 UTC, and a century more. */
const NOT_BEFORE_MS = 1_700_000_000_000;
const NOT_AFTER_MS = 4_800_000_000_000;
const COMMON_NAME = '2.5.4.3';

/** One key with its certificate. */
export interface LabKey {
  readonly signer: DigestSigner;
  readonly certificate: Certificate;
}

/** Keys for one run of the lab: made for it, kept in memory, gone with it. */
export interface SecureBootKeySet {
  readonly pk: LabKey;
  readonly kek: LabKey;
  readonly db: LabKey;
  /** As the variables hold them. */
  readonly lists: SecureBootKeys;
}

export async function makeSecureBootKeys(): Promise<SecureBootKeySet> {
  const [pk, kek, db] = [await makeKey('lab PK'), await makeKey('lab KEK'), await makeKey('lab db')];
  const list = ({ certificate }: LabKey): Uint8Array =>
    encodeSignatureLists(certificateLists([certificate.bytes], OWNER));
  return { pk, kek, db, lists: { pk: list(pk), kek: list(kek), db: list(db), timeMs: NOT_BEFORE_MS } };
}

/** An RSA key with a certificate that it has signed itself. */
export async function makeKey(name: string): Promise<LabKey> {
  const { privateKey } = generateKeyPair('rsa-2048');
  const scheme = { kind: 'rsa-pkcs1', hash: 'sha256' } as const;
  const bare: DigestSigner = {
    input: 'digest',
    scheme,
    spki: publicKeyOf(privateKey).spki,
    signDigest: async (digest) => signDigest(privateKey, scheme, digest),
  };
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: COMMON_NAME, text: name }],
      serialNumber: 1n,
      validity: { notBeforeMs: NOT_BEFORE_MS, notAfterMs: NOT_AFTER_MS },
      basicConstraints: { isCa: true, pathLength: undefined },
      keyUsage: ['digitalSignature', 'keyCertSign'],
    },
    bare,
  );
  return { signer: { ...bare, certificate }, certificate };
}
