// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { DigestAlgorithm, EcCurve, KeyAlgorithm } from '@vouchsafe/crypto';
import { PkiError } from '../error.ts';
import { formatOid, OID } from '../oid.ts';
import { importKey } from '../public-key.ts';
import { schemeOf } from '../signature-algorithm.ts';
import type { Certificate } from '../x509/certificate.ts';
import { subjectSpki } from '../x509/subject-spki.ts';
import type { PathOptions } from './options.ts';
import type { PathProblem, PathProblemCode } from './problem.ts';

const DIGESTS: readonly DigestAlgorithm[] = ['sha256', 'sha384', 'sha512'];
const CURVES: readonly EcCurve[] = ['P-256', 'P-384', 'P-521'];
/** NIST SP 800-131A: 112 bits of security. */
const MIN_RSA_BITS = 2048;

/**
 * Extensions that these checks process. Policies too: with any-policy as the initial set and policy constraints
 * refused, every set of policies is acceptable (RFC 5280, 6.1.1 (c) and 6.1.5 (g)).
 */
const PROCESSED: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extKeyUsage,
  OID.subjectAltName,
  OID.certificatePolicies,
]);

/** These narrow what an authority may issue, so passing over one that is not critical would widen it. */
const CONSTRAINTS: ReadonlySet<string> = new Set([OID.nameConstraints, OID.policyConstraints]);

/** Everything that stands against a path whose signatures hold; the certificate asked about first, the anchor last. */
export function checkPath(path: readonly Certificate[], options: PathOptions): PathProblem[] {
  const problems: PathProblem[] = [];
  for (const [depth, certificate] of path.entries()) {
    const report = (code: PathProblemCode, message: string): void => {
      problems.push({ code, certificate, depth, message });
    };
    checkTime(certificate, options.atMs, report);
    checkExtensions(certificate, depth === 0 ? (options.knownCritical ?? []) : [], report);
    checkKey(certificate, options, report);
    checkPurpose(certificate, depth, options.purpose, report);
    if (depth > 0) checkAuthority(path, depth, report);
    // RFC 5280, 6.1.1 (d): of the anchor its name and key are trusted, not its signature.
    if (depth < path.length - 1) checkSignatureAlgorithm(certificate, options.digests ?? DIGESTS, report);
  }
  return problems;
}

type Report = (code: PathProblemCode, message: string) => void;

/** RFC 5280, 6.1.3 (a) (2). Both ends belong to the period. */
function checkTime({ validity: { notBeforeMs, notAfterMs } }: Certificate, atMs: number, report: Report): void {
  if (atMs < notBeforeMs) report('not_yet_valid', `expected ${day(notBeforeMs)} or later, found ${day(atMs)}`);
  if (atMs > notAfterMs) report('expired', `expected ${day(notAfterMs)} or earlier, found ${day(atMs)}`);
}

function day(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** RFC 5280, 4.2: a critical extension that is not understood refuses the certificate. */
function checkExtensions(certificate: Certificate, known: readonly string[], report: Report): void {
  for (const { oid, critical } of certificate.extensions.all) {
    if (CONSTRAINTS.has(oid)) {
      report('constraint_unsupported', `expected an authority without ${formatOid(oid)}, which is not checked here`);
    } else if (critical && !PROCESSED.has(oid) && !known.includes(oid)) {
      report('extension_unknown', `expected critical extensions that are known here, found ${formatOid(oid)}`);
    }
  }
}

function checkKey(certificate: Certificate, options: PathOptions, report: Report): void {
  const minBits = options.minRsaBits ?? MIN_RSA_BITS;
  const curves = options.curves ?? CURVES;
  let algorithm: KeyAlgorithm;
  try {
    algorithm = importKey(subjectSpki(certificate), options.keys).algorithm;
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    report('key_weak', error.message);
    return;
  }
  if (algorithm.kind === 'rsa' && algorithm.bits < minBits) {
    report('key_weak', `expected RSA of at least ${minBits} bits, found ${algorithm.bits}`);
  }
  if (algorithm.kind === 'ec' && !curves.includes(algorithm.curve)) {
    report('key_weak', `expected a curve of ${curves.join(', ')}, found ${algorithm.curve}`);
  }
}

/**
 * RFC 5280, 4.2.1.12, and, for authorities, common practice: one that names purposes issues for these alone.
 * anyExtendedKeyUsage is enough for an authority, and not for the certificate itself.
 */
function checkPurpose(certificate: Certificate, depth: number, purpose: string | undefined, report: Report): void {
  if (purpose === undefined) return;
  const named = certificate.extensions.extKeyUsage;
  if (named?.includes(purpose)) return;
  if (depth > 0 && (named === undefined || named.includes(OID.anyExtendedKeyUsage))) return;
  const found = named === undefined ? 'no extended key usage' : named.map(formatOid).join(', ');
  report('purpose_missing', `expected the purpose ${formatOid(purpose)}, found ${found}`);
}

/** RFC 5280, 6.1.4 (k) to (n). */
function checkAuthority(path: readonly Certificate[], depth: number, report: Report): void {
  const certificate = path[depth];
  if (certificate === undefined) return;
  const { basicConstraints, keyUsage } = certificate.extensions;
  const isAnchor = depth === path.length - 1;
  // 6.1.4 (k): version 1 has no extensions, so only trust in the certificate itself can make it an authority.
  if (!(isAnchor && certificate.version < 3) && basicConstraints?.isCa !== true) {
    report(
      'not_an_authority',
      'expected an authority (basicConstraints with cA), as it issued the certificate below it',
    );
  }
  if (keyUsage !== undefined && !keyUsage.has('keyCertSign')) {
    report('not_an_authority', `expected the key usage keyCertSign, found ${[...keyUsage].join(', ') || 'none'}`);
  }
  // 6.1.4 (l), (m): self-issued certificates below it do not count, nor does the last one of the path.
  const below = path.slice(1, depth).filter((one) => !bytesEqual(one.subject.bytes, one.issuer.bytes)).length;
  if (basicConstraints?.pathLength !== undefined && below > basicConstraints.pathLength) {
    report('path_length', `expected at most ${basicConstraints.pathLength} authorities below it, found ${below}`);
  }
}

function checkSignatureAlgorithm(certificate: Certificate, digests: readonly DigestAlgorithm[], report: Report): void {
  // It was understood before: its signature was checked.
  const scheme = schemeOf(certificate.signatureAlgorithm);
  if (scheme.kind !== 'ed25519' && !digests.includes(scheme.hash)) {
    report('algorithm_weak', `expected a signature over ${digests.join(', ')}, found ${scheme.hash}`);
  }
}
