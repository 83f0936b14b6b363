// SPDX-License-Identifier: Apache-2.0
import { generateKeyPair, importPrivateKey, publicKeyOf, randomBytes, signMessage } from '@vouchsafe/crypto/signing';
import {
  type Authority,
  type Certificate,
  formatPem,
  issueCertificate,
  issueSelfSigned,
  type Signer,
} from '@vouchsafe/pki';

const DAY_MS = 86_400_000;
const COMMON_NAME = '2.5.4.3';

function signerOf(pem: string): Signer {
  const key = importPrivateKey(new TextEncoder().encode(pem));
  const scheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;
  const { spki } = publicKeyOf(key);
  return { input: 'message', scheme, spki, signMessage: async (message) => signMessage(key, scheme, message) };
}

const serial = (): bigint => BigInt(`0x7f${Buffer.from(randomBytes(8)).toString('hex')}`);
const wholeSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;
const validFor = (days: number) => ({
  notBeforeMs: wholeSecond(Date.now() - 2 * DAY_MS),
  notAfterMs: wholeSecond(Date.now() + days * DAY_MS),
});

/** An authority of a test's own. */
export async function testAuthority(name: string): Promise<Authority> {
  const signer = signerOf(generateKeyPair('P-256').privateKeyPem);
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: COMMON_NAME, text: name }],
      serialNumber: serial(),
      validity: validFor(30),
      basicConstraints: { isCa: true, pathLength: undefined },
      keyUsage: ['keyCertSign', 'cRLSign'],
    },
    signer,
  );
  return { certificate, signer };
}

/** What `tls.createServer` takes. The chain has the authority's certificate, as join tokens want it. */
export async function serverIdentity(authority: Authority, { host = '127.0.0.1', days = 10 } = {}) {
  const pair = generateKeyPair('P-256');
  const certificate = await issueCertificate(
    {
      subject: [{ oid: COMMON_NAME, text: 'service' }],
      serialNumber: serial(),
      validity: validFor(days),
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      extKeyUsage: ['1.3.6.1.5.5.7.3.1'],
      subjectAltName: [
        /^[0-9.]+$/.test(host)
          ? { kind: 'ip', address: Uint8Array.from(host.split('.'), Number) }
          : { kind: 'dns', text: host },
      ],
    },
    pair.publicKey.spki,
    authority,
  );
  return { cert: pemOf(certificate) + pemOf(authority.certificate), key: pair.privateKeyPem };
}

/** A client certificate, as the service would grant it. */
export async function clientCertificate(
  authority: Authority,
  spki: Uint8Array,
  deviceId: string,
): Promise<Certificate> {
  return issueCertificate(
    {
      subject: [{ oid: COMMON_NAME, text: deviceId }],
      serialNumber: serial(),
      validity: validFor(1),
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      extKeyUsage: ['1.3.6.1.5.5.7.3.2'],
    },
    spki,
    authority,
  );
}

export const pemOf = ({ bytes }: Certificate): string => formatPem('CERTIFICATE', bytes);
