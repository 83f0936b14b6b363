// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, toHex } from '@vouchsafe/base';
import {
  type AttributeCertificate,
  type Certificate,
  type GeneralName,
  importKey,
  isAttributeCertificateSignedBy,
  isSameName,
  type KeySource,
  OID,
  type PathProblemCode,
  PkiError,
  validatePath,
} from '@vouchsafe/pki';
import type { VerifiedEndorsementKey } from '../ek/check-ek.ts';
import type { TrustStore } from '../trust-store.ts';
import type { PlatformCertificate } from './platform-certificate.ts';

declare const verified: unique symbol;

/** What a trusted maker says of the machine that this endorsement key is in. Only checkPlatformCertificate makes one. */
export interface VerifiedPlatform {
  readonly [verified]: true;
  readonly certificate: PlatformCertificate;
  readonly issuer: Certificate;
}

export type PlatformFindingCode =
  | `platform_${PathProblemCode}` // what the checks found at the certificate, its issuer's, or above that
  | 'platform_holder_differs'; // it is of another machine's TPM

export interface PlatformOptions {
  readonly store: TrustStore;
  /** Milliseconds since 1970, UTC. */
  readonly nowMs: number;
  /** Certificates that came with the machine; nobody trusts them. */
  readonly chain?: readonly Certificate[];
  /** For a delta: the certificate that it changes; the holder is then that one, and not the EK's. */
  readonly base?: VerifiedPlatform;
  readonly keys?: KeySource;
}

export interface PlatformResult {
  readonly platform: VerifiedPlatform | undefined;
  readonly findings: readonly Finding<PlatformFindingCode>[];
}

/**
 * Whether a trusted maker issued the certificate, for the machine of this endorsement key. RFC 5755, 5; TCG Platform
 * Certificate Profile: the holder names the EK certificate by its issuer and serial number.
 */
export function checkPlatformCertificate(
  certificate: PlatformCertificate,
  endorsementKey: VerifiedEndorsementKey,
  options: PlatformOptions,
): PlatformResult {
  const findings: Finding<PlatformFindingCode>[] = [];
  const add: Add = (code, hint, path) => {
    const where = { artefact: 'platform certificate', ...(path === undefined ? {} : { path }) };
    findings.push({ code, severity: 'error', where, hint });
  };
  const { attributeCertificate } = certificate;
  checkHolder(attributeCertificate, certificate.kind === 'delta' ? options.base : endorsementKey, add);
  checkOwnFields(attributeCertificate, options.nowMs, add);
  const issuer = findIssuer(attributeCertificate, options, add);
  if (issuer !== undefined) checkIssuer(issuer, options, add);
  if (issuer === undefined || findings.length > 0) return { platform: undefined, findings };
  const platform = { certificate, issuer };
  return { platform: platform as typeof platform & VerifiedPlatform, findings };
}

type Add = (code: PlatformFindingCode, hint: string, path?: string) => void;

/** A genuine certificate of another machine says nothing of this one. */
function checkHolder(
  { holder }: AttributeCertificate,
  expected: VerifiedEndorsementKey | VerifiedPlatform | undefined,
  add: Add,
): void {
  const { baseCertificate } = holder;
  if (expected === undefined) {
    add('platform_holder_differs', 'It is a delta: give the base certificate that it changes');
    return;
  }
  const named = 'issuer' in expected ? expected.certificate.attributeCertificate : expected.certificate;
  const matches =
    baseCertificate !== undefined &&
    bytesEqual(baseCertificate.serialBytes, named.serialBytes) &&
    baseCertificate.issuer.some(
      (name: GeneralName) => name.kind === 'directory' && isSameName(name.name, named.issuer),
    );
  if (matches) return;
  const found =
    baseCertificate === undefined ? 'no certificate' : `serial number ${toHex(baseCertificate.serialBytes)}`;
  const hint = `It is of the holder of ${found}, and not of ${named.issuer.text}, ${toHex(named.serialBytes)}. Bring the certificate of this machine`;
  add('platform_holder_differs', hint);
}

/** Extensions that are understood here. Policies as in path validation. */
const KNOWN: ReadonlySet<string> = new Set([OID.subjectAltName, OID.certificatePolicies, OID.authorityKeyIdentifier]);

function checkOwnFields({ validity, extensions }: AttributeCertificate, nowMs: number, add: Add): void {
  if (nowMs < validity.notBeforeMs) add('platform_not_yet_valid', 'Its time has not come; is the clock right?');
  if (nowMs > validity.notAfterMs) add('platform_expired', 'Its time is over; ask the maker for a newer one');
  for (const { oid, critical } of extensions.all) {
    if (critical && !KNOWN.has(oid)) add('platform_extension_unknown', `It has the critical extension ${oid}`);
  }
}

/** The one certificate with the issuer's name whose key signed. */
function findIssuer(
  certificate: AttributeCertificate,
  { store, chain = [], keys }: PlatformOptions,
  add: Add,
): Certificate | undefined {
  const named = [...store.anchors, ...store.intermediates, ...chain].filter(({ subject }) =>
    isSameName(subject, certificate.issuer),
  );
  const signer = named.slice(0, MAX_CANDIDATES).find((candidate) => isSignedBy(certificate, candidate, keys));
  if (signer !== undefined) return signer;
  const { text } = certificate.issuer;
  if (named.length === 0) {
    add('platform_issuer_missing', `Add the certificate of ${text} to the trust store, or bring it with the machine`);
  } else {
    add(
      'platform_signature_invalid',
      `${text} has ${named.length} certificates here, and none of their keys signed it`,
    );
  }
  return undefined;
}

/** Signatures tried; a machine brings what it likes. */
const MAX_CANDIDATES = 16;

function isSignedBy(certificate: AttributeCertificate, candidate: Certificate, keys: KeySource | undefined): boolean {
  try {
    return isAttributeCertificateSignedBy(certificate, importKey(candidate.publicKey.bytes, keys));
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}

/** RFC 5755, 4.5 and 5: the issuer signs attributes, so it need not be an authority, but it must be trusted. */
function checkIssuer(issuer: Certificate, options: PlatformOptions, add: Add): void {
  const { keyUsage } = issuer.extensions;
  if (keyUsage !== undefined && !keyUsage.has('digitalSignature')) {
    add(
      'platform_not_an_authority',
      'Its issuer’s certificate is not for signing (digitalSignature)',
      issuer.subject.text,
    );
  }
  const { store, chain = [], nowMs, keys } = options;
  if (store.anchors.some(({ bytes }) => bytesEqual(bytes, issuer.bytes))) {
    if (nowMs > issuer.validity.notAfterMs) add('platform_expired', 'Its issuer’s certificate has expired');
    return;
  }
  const result = validatePath(issuer, {
    anchors: store.anchors,
    intermediates: [...store.intermediates, ...chain],
    atMs: nowMs,
    ...(keys === undefined ? {} : { keys }),
  });
  if (result.ok) return;
  for (const { code, certificate, message } of result.problems) {
    add(
      `platform_${code}`,
      `${message}. Trust its maker’s authority (trust add), or do without`,
      certificate.subject.text,
    );
  }
}
