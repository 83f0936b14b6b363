// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { toHex, utf8 } from '@vouchsafe/base';
import { generateKeyPair, importPrivateKey, publicKeyOf, randomBytes, signMessage } from '@vouchsafe/crypto/signing';
import {
  type Authority,
  type Certificate,
  decodeCertificates,
  formatCertificate,
  issueCertificate,
  issueSelfSigned,
  type NameToEncode,
  OID,
  type Signer,
} from '@vouchsafe/pki';
import { ipv6Groups } from '../domain/ip-address.ts';
import { readStateFile, writeStateFile } from './state-folder.ts';

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** Browsers take no more than 398. */
const SERVER_DAYS = 397;
const RENEW_DAYS = 30;
/** Clocks differ. */
const SKEW_MS = 3_600_000;

const P256 = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;

/** PEM of a chain, the service's own certificate first and the authority that machines pin last, and of the key. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * The certificate that the service made for itself, made now or when it last started, and renewed in time. Its authority
 * stays the same: machines know it by its key.
 */
export async function generatedTls(stateDir: string, names: readonly string[], atMs: number): Promise<TlsFiles> {
  // Certificates tell time in whole seconds.
  const nowMs = Math.floor(atMs / 1000) * 1000;
  const authority = await openAuthority(stateDir, nowMs);
  const key = await readStateFile(stateDir, 'tls/server.key');
  const certificate = await readStateFile(stateDir, 'tls/server.pem');
  if (key !== undefined && certificate !== undefined && isFit(certificate, names, nowMs)) return { key, certificate };
  const made = generateKeyPair('P-256');
  const issued = await issueCertificate(
    {
      subject: [{ oid: OID.commonName, text: names[0] ?? 'vouchsafe' }],
      serialNumber: newSerial(),
      validity: { notBeforeMs: nowMs - SKEW_MS, notAfterMs: nowMs + SERVER_DAYS * DAY_MS },
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
      extKeyUsage: [OID.serverAuth],
      subjectAltName: names.map(asName),
    },
    made.publicKey.spki,
    authority,
  );
  const chain = formatCertificate(issued) + formatCertificate(authority.certificate);
  await writeStateFile(stateDir, 'tls/server.key', made.privateKeyPem);
  await writeStateFile(stateDir, 'tls/server.pem', chain);
  return { key: made.privateKeyPem, certificate: chain };
}

async function openAuthority(stateDir: string, nowMs: number): Promise<Authority> {
  const keyPem = await readStateFile(stateDir, 'tls/ca.key');
  const pem = await readStateFile(stateDir, 'tls/ca.pem');
  if (keyPem !== undefined && pem !== undefined) {
    const [certificate] = decodeCertificates(utf8(pem));
    if (certificate !== undefined) return { certificate, signer: signerOf(keyPem) };
  }
  const { privateKeyPem } = generateKeyPair('P-256');
  const signer = signerOf(privateKeyPem);
  const certificate = await issueSelfSigned(
    {
      // Two services must not have one name: who trusts both would mix them up.
      subject: [{ oid: OID.commonName, text: `Vouchsafe service CA ${toHex(randomBytes(4))}` }],
      serialNumber: newSerial(),
      validity: { notBeforeMs: nowMs - SKEW_MS, notAfterMs: nowMs + CA_DAYS * DAY_MS },
      basicConstraints: { isCa: true, pathLength: 0 },
      keyUsage: ['keyCertSign', 'cRLSign'],
    },
    signer,
  );
  await writeStateFile(stateDir, 'tls/ca.key', privateKeyPem);
  await writeStateFile(stateDir, 'tls/ca.pem', formatCertificate(certificate));
  return { certificate, signer };
}

function signerOf(pem: string): Signer {
  const key = importPrivateKey(utf8(pem));
  const { spki } = publicKeyOf(key);
  return { input: 'message', scheme: P256, spki, signMessage: async (message) => signMessage(key, P256, message) };
}

const newSerial = (): bigint => BigInt(`0x${toHex(randomBytes(16))}`) + 1n;

function asName(name: string): NameToEncode {
  const version = isIP(name);
  if (version === 4) return { kind: 'ip', address: Uint8Array.from(name.split('.'), Number) };
  if (version === 6) return { kind: 'ip', address: ipv6Octets(name) };
  return { kind: 'dns', text: name };
}

function ipv6Octets(text: string): Uint8Array {
  return Uint8Array.from((ipv6Groups(text) ?? []).flatMap((group) => [group >> 8, group & 0xff]));
}

function isFit(pem: string, names: readonly string[], nowMs: number): boolean {
  const [certificate] = decodeCertificates(utf8(pem));
  if (certificate === undefined || certificate.validity.notAfterMs < nowMs + RENEW_DAYS * DAY_MS) return false;
  const listed = new Set((certificate.extensions.subjectAltName ?? []).map(nameKey));
  return names.every((name) => listed.has(nameKey(asName(name))));
}

type AnyName = NonNullable<Certificate['extensions']['subjectAltName']>[number] | NameToEncode;

function nameKey(name: AnyName): string {
  if (name.kind === 'dns') return `dns ${name.text}`;
  return name.kind === 'ip' && 'address' in name ? `ip ${toHex(name.address)}` : name.kind;
}
