// SPDX-License-Identifier: Apache-2.0

import { decode } from '@vouchsafe/codec';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import {
  type Authority,
  type Certificate,
  type CertificateInput,
  issueCertificate,
  issueSelfSigned,
  OID,
  type Signer,
} from '@vouchsafe/pki';
import { publicAreaFromSpki, type TpmtPublic, tpmaObject } from '@vouchsafe/tpm';

export const START = Date.UTC(2026, 0, 1);
export const END = Date.UTC(2036, 0, 1);
export const NOW = Date.UTC(2030, 0, 1);

let serial = 1n;

/** A new P-256 key. */
export function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPair('P-256');
  const scheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;
  return {
    input: 'message',
    scheme,
    spki: publicKey.spki,
    signMessage: async (message) => signMessage(privateKey, scheme, message),
  };
}

function input(name: string, change: Partial<CertificateInput>): CertificateInput {
  return {
    subject: [{ oid: OID.commonName, text: name }],
    serialNumber: serial++,
    validity: { notBeforeMs: START, notAfterMs: END },
    basicConstraints: { isCa: true, pathLength: undefined },
    keyUsage: ['keyCertSign'],
    ...change,
  };
}

export async function root(name: string, change: Partial<CertificateInput> = {}): Promise<Authority> {
  const signer = newSigner();
  return { signer, certificate: await issueSelfSigned(input(name, change), signer) };
}

export async function below(
  issuer: Authority,
  name: string,
  change: Partial<CertificateInput> = {},
): Promise<Authority> {
  const signer = newSigner();
  return { signer, certificate: await issueCertificate(input(name, change), signer.spki, issuer) };
}

/** What the EK Credential Profile has an EK certificate say. */
const EK_SAYS: Partial<CertificateInput> = {
  subject: [],
  basicConstraints: { isCa: false, pathLength: undefined },
  keyUsage: ['keyAgreement'],
  extKeyUsage: [OID.tcgEndorsementKey],
  subjectAltName: [
    {
      kind: 'directory',
      attributes: [
        { oid: '2.23.133.2.1', text: 'id:53544D20' },
        { oid: '2.23.133.2.2', text: 'ST33' },
        { oid: '2.23.133.2.3', text: 'id:00010101' },
      ],
    },
  ],
};

/** The public area of a key as a TPM's decryption key. */
export function ekArea(spki: Uint8Array): TpmtPublic {
  return publicAreaFromSpki(spki, {
    nameAlg: 'sha256',
    // Part 3 of the EK Credential Profile: a restricted decryption key of this TPM.
    objectAttributes: decode(tpmaObject, Uint8Array.of(0x00, 0x03, 0x00, 0xb2)),
  });
}

export interface Ek {
  readonly publicArea: TpmtPublic;
  readonly certificate: Certificate;
}

/** An endorsement key and its certificate. */
export async function ekBy(issuer: Authority, change: Partial<CertificateInput> = {}): Promise<Ek> {
  const { spki } = newSigner();
  const certificate = await issueCertificate(input('', { ...EK_SAYS, ...change }), spki, issuer);
  return { publicArea: ekArea(spki), certificate };
}
