// SPDX-License-Identifier: Apache-2.0
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { type Authority, issueSelfSigned, OID, type Signer } from '@vouchsafe/pki';

/** A P-256 key, as a signer. */
export function newSigner(): Signer & { readonly privateKeyPem: string } {
  const { privateKey, publicKey, privateKeyPem } = generateKeyPair('P-256');
  const scheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;
  const sign = async (message: Uint8Array) => signMessage(privateKey, scheme, message);
  return { input: 'message', scheme, spki: publicKey.spki, signMessage: sign, privateKeyPem };
}

export async function newAuthority(name: string): Promise<Authority> {
  const signer = newSigner();
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: name }],
      serialNumber: 1n,
      validity: { notBeforeMs: nowMs - 3_600_000, notAfterMs: nowMs + 86_400_000 },
      basicConstraints: { isCa: true, pathLength: 0 },
      keyUsage: ['keyCertSign', 'cRLSign'],
    },
    signer,
  );
  return { certificate, signer };
}
