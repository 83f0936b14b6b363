// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, toHex } from '@vouchsafe/base';
import { importKey, isSignatureBy } from '@vouchsafe/pki';
import type { Pcr11Value } from '../pcr11.ts';
import { type PcrSignature, pcrKeyFingerprint, pcrPolicyOf, SIGNED_PCR } from './pcr-signature.ts';

export type PcrSignatureFindingCode =
  | 'pcrsig_key_other' // signed, so it says, by another key
  | 'pcrsig_signature_bad' // not a signature by the key
  | 'pcrsig_pcrs_other' // about other PCRs than 11
  | 'pcrsig_policy_unknown' // a policy that fits no phase of this UKI
  | 'pcrsig_phase_unexpected' // a policy of a phase that must not be signed
  | 'pcrsig_phase_missing' // a phase without a signed policy
  | 'pcrsig_repeated'; // the same policy twice

export interface PcrSignatureExpectation {
  /** What the signatures are of, as the user knows it. */
  readonly artefact: string;
  /** DER of SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Values that must be signed, and no others may be: `predictPcr11` of the phases that are wanted. */
  readonly expected: readonly Pcr11Value[];
  /** Values of further phases, so that one that is signed without being expected is called by name. */
  readonly known?: readonly Pcr11Value[];
}

export interface PcrSignatureReport {
  readonly findings: readonly Finding<PcrSignatureFindingCode>[];
  /** For each signature the value that its policy is of; undefined when it fits none. */
  readonly matched: readonly (Pcr11Value | undefined)[];
}

/**
 * Each entry of a `.pcrsig` against the key and against what PCR 11 will be: a policy signed for another phase would open
 * there what was sealed for this one.
 * @throws {PkiError} for a key that is none.
 */
export function checkPcrSignatures(
  signatures: readonly PcrSignature[],
  expectation: PcrSignatureExpectation,
): PcrSignatureReport {
  const { artefact, spki, expected, known = [] } = expectation;
  const policies = [...expected, ...known].map((value) => ({ value, policy: pcrPolicyOf(value) }));
  const matched = signatures.map(
    ({ bank, policy }) => policies.find((one) => one.value.bank === bank && bytesEqual(one.policy, policy))?.value,
  );
  const key = { imported: importKey(spki), fingerprint: pcrKeyFingerprint(spki) };
  const findings = signatures.flatMap((entry, i) => {
    const match = matched[i];
    const where = { artefact, pcr: SIGNED_PCR, bank: entry.bank, path: `${entry.bank}[${indexInBank(signatures, i)}]` };
    return [
      ...keyFindings(entry, key, where),
      ...policyFindings(entry, match, expected, where),
      ...(isRepeated(signatures, i) ? [repeated(where)] : []),
    ];
  });
  const missing = expected.filter((value) => !matched.includes(value)).map((value) => missingPhase(value, artefact));
  return { findings: [...findings, ...missing], matched };
}

type PcrFinding = Finding<PcrSignatureFindingCode>;

function indexInBank(signatures: readonly PcrSignature[], index: number): number {
  return signatures.slice(0, index).filter(({ bank }) => bank === signatures[index]?.bank).length;
}

function keyFindings(
  entry: PcrSignature,
  key: { readonly imported: ReturnType<typeof importKey>; readonly fingerprint: Uint8Array },
  where: PcrFinding['where'],
): PcrFinding[] {
  if (!bytesEqual(entry.keyFingerprint, key.fingerprint)) {
    const hint = 'the policy is signed by another key than the one given; is it the right public key?';
    const [expected, actual] = [toHex(key.fingerprint), toHex(entry.keyFingerprint)];
    return [{ code: 'pcrsig_key_other', severity: 'error', where, expected, actual, hint }];
  }
  const scheme = { kind: 'rsa-pkcs1', hash: entry.bank } as const;
  if (isSignatureBy(key.imported, scheme, entry.policy, entry.signature)) return [];
  const hint = `the signature is not one of this policy by RSASSA-PKCS1-v1_5 with ${entry.bank}; a TPM will refuse it`;
  return [{ code: 'pcrsig_signature_bad', severity: 'error', where, hint }];
}

function policyFindings(
  entry: PcrSignature,
  match: Pcr11Value | undefined,
  expected: readonly Pcr11Value[],
  where: PcrFinding['where'],
): PcrFinding[] {
  const findings: PcrFinding[] = [];
  if (entry.pcrs.length !== 1 || entry.pcrs[0] !== SIGNED_PCR) {
    const hint =
      'the entry says that its policy is about other PCRs than 11, so that a TPM asked for those will not match it';
    const actual = entry.pcrs.join(', ');
    findings.push({ code: 'pcrsig_pcrs_other', severity: 'error', where, expected: `${SIGNED_PCR}`, actual, hint });
  }
  if (match === undefined) {
    const hint =
      'the policy fits PCR 11 of this UKI in no known phase: it is of another image, of unknown phases, or counts what the stub does not measure';
    findings.push({ code: 'pcrsig_policy_unknown', severity: 'error', where, actual: toHex(entry.policy), hint });
  } else if (!expected.includes(match)) {
    const hint = 'a policy is signed for a phase that was not asked for: what is sealed to this key opens in it too';
    findings.push({ code: 'pcrsig_phase_unexpected', severity: 'error', where, actual: phaseName(match), hint });
  }
  return findings;
}

function isRepeated(signatures: readonly PcrSignature[], index: number): boolean {
  const entry = signatures[index];
  return signatures
    .slice(0, index)
    .some(
      ({ bank, policy, keyFingerprint }) =>
        entry !== undefined &&
        bank === entry.bank &&
        bytesEqual(policy, entry.policy) &&
        bytesEqual(keyFingerprint, entry.keyFingerprint),
    );
}

function repeated(where: PcrFinding['where']): PcrFinding {
  const hint = 'the same policy is signed by the same key before: one of the two is superfluous';
  return { code: 'pcrsig_repeated', severity: 'warning', where, hint };
}

function missingPhase(value: Pcr11Value, artefact: string): PcrFinding {
  const where = { artefact, pcr: SIGNED_PCR, bank: value.bank };
  const hint = 'no policy is signed for this phase: what is sealed to the key does not open in it';
  return { code: 'pcrsig_phase_missing', severity: 'error', where, expected: phaseName(value), hint };
}

function phaseName({ phase }: Pcr11Value): string {
  return phase === '' ? 'no phase' : phase;
}
