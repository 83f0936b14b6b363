// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, toHex } from '@vouchsafe/base';
import {
  type Certificate,
  fingerprintOf,
  type KeySource,
  OID,
  type PathProblemCode,
  subjectSpki,
  type ValidatedPath,
  validatePath,
} from '@vouchsafe/pki';
import { spkiOf, TpmError, type TpmtPublic } from '@vouchsafe/tpm';
import { isRocaModulus } from '../roca.ts';
import type { TrustStore } from '../trust-store.ts';
import { type TpmDescription, tpmOf } from './tpm-of.ts';

declare const verified: unique symbol;

/** An endorsement key that a trusted maker certified. Only checkEndorsementKey makes one. */
export interface VerifiedEndorsementKey {
  readonly [verified]: true;
  readonly publicArea: TpmtPublic;
  readonly certificate: Certificate;
  /** SHA-256 of the certificate: what an inventory lists. */
  readonly fingerprint: Uint8Array;
  readonly path: ValidatedPath;
  readonly tpm: TpmDescription;
}

export type EndorsementKeyFindingCode =
  | `ek_${PathProblemCode}` // what path validation found, at the certificate or above it
  | 'ek_key_differs' // the certificate is of another key than the TPM's
  | 'ek_is_authority' // a certificate that may issue others is nobody's endorsement key
  | 'ek_key_usage' // a key that is certified for signing alone cannot be one
  | 'ek_roca' // the private key can be computed from the public one (CVE-2017-15361)
  | 'ek_unsupported' // a key of a kind that is not known here
  | 'ek_undescribed'; // the certificate does not say who made the TPM

export interface EndorsementKeyEvidence {
  /** The EK's public area as the TPM said it. */
  readonly publicArea: TpmtPublic;
  readonly certificate: Certificate;
  /** What else the TPM's NV or the machine brought along; nobody trusts it. */
  readonly chain: readonly Certificate[];
}

export interface EndorsementKeyOptions {
  readonly store: TrustStore;
  /** Milliseconds since 1970, UTC. */
  readonly nowMs: number;
  /** Hardware outlives its certificate: accept an expired path, and say so. False when left out. */
  readonly acceptExpired?: boolean;
  readonly keys?: KeySource;
}

/** `endorsementKey` is there when no finding is an error. */
export interface EndorsementKeyResult {
  readonly endorsementKey: VerifiedEndorsementKey | undefined;
  readonly findings: readonly Finding<EndorsementKeyFindingCode>[];
}

/**
 * Whether an endorsement key is one that a trusted maker of TPMs put there. TCG EK Credential Profile for TPM Family
 * 2.0; RFC 5280, 6.1. That this very TPM holds the private key is for the challenge (TPM2_MakeCredential) to show.
 */
export function checkEndorsementKey(
  evidence: EndorsementKeyEvidence,
  options: EndorsementKeyOptions,
): EndorsementKeyResult {
  const { certificate, publicArea, chain } = evidence;
  const findings: Finding<EndorsementKeyFindingCode>[] = [];
  const add: Add = (code, detail = {}) => {
    findings.push({
      code,
      severity: detail.severity ?? 'error',
      where: { artefact: 'EK certificate', ...(detail.path === undefined ? {} : { path: detail.path }) },
      ...(detail.expected === undefined ? {} : { expected: detail.expected }),
      ...(detail.actual === undefined ? {} : { actual: detail.actual }),
      hint: detail.hint ?? HINTS[code as keyof typeof HINTS] ?? '',
    });
  };
  checkSameKey(certificate, publicArea, add);
  checkUsage(certificate, add);
  const tpm = tpmOf(certificate);
  if (tpm.manufacturer === undefined) add('ek_undescribed', { severity: 'warning' });
  const result = validatePath(certificate, {
    anchors: options.store.anchors,
    intermediates: [...options.store.intermediates, ...chain],
    atMs: options.nowMs,
    purpose: OID.tcgEndorsementKey,
    // It describes the TPM and restricts nothing; some makers mark it critical.
    knownCritical: [OID.subjectDirectoryAttributes],
    acceptExpired: options.acceptExpired ?? false,
    ...(options.keys === undefined ? {} : { keys: options.keys }),
  });
  for (const { code, certificate: at, message } of result.ok ? result.remarks : result.problems) {
    const hint = `${message}. ${PATH_HINTS[code] ?? PATH_HINT}`;
    add(`ek_${code}`, { path: at.subject.text, hint, severity: result.ok ? 'warning' : 'error' });
  }
  if (!result.ok || findings.some(({ severity }) => severity === 'error'))
    return { endorsementKey: undefined, findings };
  const key = { publicArea, certificate, fingerprint: fingerprintOf(certificate), path: result.path, tpm };
  return { endorsementKey: key as typeof key & VerifiedEndorsementKey, findings };
}

type Add = (
  code: EndorsementKeyFindingCode,
  detail?: { severity?: 'warning' | 'error'; path?: string; expected?: string; actual?: string; hint?: string },
) => void;

/** Otherwise anybody's genuine certificate would vouch for a key in software. */
function checkSameKey(certificate: Certificate, publicArea: TpmtPublic, add: Add): void {
  let expected: Uint8Array;
  try {
    expected = spkiOf(publicArea);
  } catch (error) {
    if (!(error instanceof TpmError)) throw error;
    add('ek_unsupported', { hint: error.message });
    return;
  }
  const certified = subjectSpki(certificate);
  if (!bytesEqual(expected, certified)) {
    add('ek_key_differs', { expected: toHex(certified.slice(-32)), actual: toHex(expected.slice(-32)) });
  }
  if (publicArea.type !== 'rsa') return;
  if (isRocaModulus(modulusOf(publicArea.unique))) add('ek_roca');
}

function modulusOf(octets: Uint8Array): bigint {
  return octets.length === 0 ? 0n : BigInt(`0x${toHex(octets)}`);
}

function checkUsage({ extensions }: Certificate, add: Add): void {
  if (extensions.basicConstraints?.isCa === true || extensions.keyUsage?.has('keyCertSign') === true) {
    add('ek_is_authority');
  }
  const { keyUsage } = extensions;
  // EK Credential Profile, key usage: keyEncipherment for RSA, keyAgreement for ECC. Makers mix them up, so either will do.
  if (keyUsage !== undefined && !keyUsage.has('keyEncipherment') && !keyUsage.has('keyAgreement')) {
    add('ek_key_usage', { expected: 'keyEncipherment or keyAgreement', actual: [...keyUsage].join(', ') || 'none' });
  }
}

const HINTS = {
  ek_key_differs:
    'The certificate belongs to another key. Read the certificate of the same template from NV (RSA 0x01c00002, P-256 0x01c0000a), and do not enrol what cannot show it',
  ek_is_authority: 'An authority was offered as an endorsement key: somebody is trying whether that is noticed',
  ek_key_usage: 'A certificate for signing was offered as that of an endorsement key',
  ek_roca:
    'The TPM has a key of the weak generator of CVE-2017-15361: update its firmware and clear it, or replace it; this key proves nothing',
  ek_undescribed: 'The certificate does not name the TPM in the way of the TCG profile; the path to its maker holds',
} as const;

const PATH_HINT = 'Enrol only machines whose maker you trust';

const PATH_HINTS: Partial<Record<PathProblemCode, string>> = {
  issuer_missing:
    'Add that authority of the TPM’s maker to the trust store (trust add), after comparing its fingerprint with the maker’s',
  signature_invalid: 'Names can be copied, keys cannot: treat the certificate as forged',
  expired: 'If the machine is known, accept expired endorsement certificates in the policy, or enrol it by inventory',
  purpose_missing: 'It was not issued for an endorsement key',
};
