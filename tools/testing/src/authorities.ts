// SPDX-License-Identifier: Apache-2.0
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

/** Everything the tests issue is valid from START to END, unless they say otherwise. */
export const START = Date.UTC(2026, 0, 1);
export const END = Date.UTC(2036, 0, 1);
export const NOW = Date.UTC(2030, 0, 1);

/** An authority or a holder: its certificate, and its key as a signer. */
export type Party = Authority;

let serial = 1n;

/** A signer with a new key: P-256, as it is quick to make. */
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

export function input(name: string, change: Partial<CertificateInput> = {}): CertificateInput {
  return {
    subject: [{ oid: OID.commonName, text: name }],
    serialNumber: serial++,
    validity: { notBeforeMs: START, notAfterMs: END },
    basicConstraints: { isCa: true, pathLength: undefined },
    keyUsage: ['keyCertSign'],
    ...change,
  };
}

const LEAF: Partial<CertificateInput> = {
  basicConstraints: { isCa: false, pathLength: undefined },
  keyUsage: ['digitalSignature'],
};

export async function root(name: string, change: Partial<CertificateInput> = {}): Promise<Party> {
  const signer = newSigner();
  return { signer, certificate: await issueSelfSigned(input(name, change), signer) };
}

export async function below(issuer: Party, name: string, change: Partial<CertificateInput> = {}): Promise<Party> {
  const signer = newSigner();
  return { signer, certificate: await issueCertificate(input(name, change), signer.spki, issuer) };
}

export async function leafOf(
  issuer: Party,
  name: string,
  change: Partial<CertificateInput> = {},
): Promise<Certificate> {
  return (await below(issuer, name, { ...LEAF, ...change })).certificate;
}
