// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { generateKeyPair, randomBytes, signMessage } from '@vouchsafe/crypto/signing';
import { type Authority, issueCertificate, issueSelfSigned, OID } from '@vouchsafe/pki';

const DAY_MS = 86_400_000;
const P256 = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;

const serialNumber = (): bigint => BigInt(`0x01${toHex(randomBytes(15))}`);
const validityFrom = (nowMs: number, days: number) => {
  // Certificates tell time in whole seconds.
  const notBeforeMs = Math.floor(nowMs / 1000) * 1000 - DAY_MS;
  return { notBeforeMs, notAfterMs: notBeforeMs + days * DAY_MS };
};

/** The authority of a maker of TPMs that are none. Whoever trusts it believes what simulated machines say. */
export async function newTpmMaker(name: string, nowMs: number): Promise<Authority> {
  const { privateKey, publicKey } = generateKeyPair('P-256');
  const signer = {
    input: 'message' as const,
    scheme: P256,
    spki: publicKey.spki,
    signMessage: async (message: Uint8Array) => signMessage(privateKey, P256, message),
  };
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: name }],
      serialNumber: serialNumber(),
      validity: validityFrom(nowMs, 30),
      basicConstraints: { isCa: true, pathLength: 0 },
      keyUsage: ['keyCertSign'],
    },
    signer,
  );
  return { certificate, signer };
}

/** An endorsement key's certificate. TCG EK Credential Profile, 3.2: the TPM's maker, model and version in its other name. */
export async function certifyEndorsementKey(maker: Authority, spki: Uint8Array, nowMs: number): Promise<Uint8Array> {
  const certificate = await issueCertificate(
    {
      subject: [],
      serialNumber: serialNumber(),
      validity: validityFrom(nowMs, 30),
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['keyAgreement'],
      extKeyUsage: [OID.tcgEndorsementKey],
      subjectAltName: [
        {
          kind: 'directory',
          attributes: [
            // 'TEST' is no maker's; TCG TPM Vendor ID Registry.
            { oid: '2.23.133.2.1', text: 'id:54455354' },
            { oid: '2.23.133.2.2', text: 'simulated' },
            { oid: '2.23.133.2.3', text: 'id:00010000' },
          ],
        },
      ],
    },
    spki,
    maker,
  );
  return certificate.bytes;
}
