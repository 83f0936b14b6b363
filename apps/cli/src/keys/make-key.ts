// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { generateKeyPair, type PrivateKey, randomBytes, signDigest, signMessage } from '@vouchsafe/crypto/signing';
import { type Certificate, issueSelfSigned, OID, type Signer, type Validity } from '@vouchsafe/pki';
import type { KeyRole } from './key-roles.ts';

/** A key that was just made. */
export interface MadeKey {
  readonly signer: Signer;
  readonly certificate: Certificate;
  readonly privateKeyPem: string;
}

/** RFC 5280, 4.1.2.2, allows 20 octets and wants them positive; random ones are apart without a register. */
const SERIAL_BYTES = 16;

/** A new key with a certificate that it has signed itself: it can sign, and cannot issue others. */
export async function makeKey(role: KeyRole, commonName: string, validity: Validity): Promise<MadeKey> {
  const { privateKey, publicKey, privateKeyPem } = generateKeyPair(role.type);
  const signer = signerOf(privateKey, publicKey.spki);
  const serial = randomBytes(SERIAL_BYTES);
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: commonName }],
      serialNumber: BigInt(`0x${toHex(serial)}`) + 1n,
      validity,
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      ...(role.extKeyUsage === undefined ? {} : { extKeyUsage: role.extKeyUsage }),
    },
    signer,
  );
  return { signer: { ...signer, certificate }, certificate, privateKeyPem };
}

function signerOf(privateKey: PrivateKey, spki: Uint8Array): Signer {
  if (privateKey.algorithm.kind === 'ed25519') {
    const scheme = { kind: 'ed25519' } as const;
    return { input: 'message', scheme, spki, signMessage: async (message) => signMessage(privateKey, scheme, message) };
  }
  const scheme = { kind: 'rsa-pkcs1', hash: 'sha256' } as const;
  return { input: 'digest', scheme, spki, signDigest: async (digest) => signDigest(privateKey, scheme, digest) };
}
