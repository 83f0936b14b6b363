// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { LogFindingCode } from '@vouchsafe/eventlog';
import type { ClockFindingCode, QuoteFindingCode } from '@vouchsafe/tpm';

export type AppraisalFindingCode =
  | QuoteFindingCode
  | ClockFindingCode
  | LogFindingCode
  | 'evidence_limit' // more of something than any machine has
  | 'log_malformed' // a log that is none of its kind
  | 'log_missing' // a log without which nothing can be said
  | 'log_differs' // another boot log than before, in the same boot
  | 'reference_empty' // the references predict nothing, so that nothing could be matched
  | 'reference_bank' // no quoted bank that digests cannot be forged in
  | 'reference_pcr' // the reference predicts an event in a PCR that no static boot decides
  | 'pcr_unquoted' // a PCR whose events would be believed is not under the quote
  | 'pcr_uncovered' // the image's manifest does not say all of a PCR that an image decides
  | 'pcr_unpredicted' // a PCR that should be untouched has a value
  | 'event_unexpected' // something was measured that the image does not put there
  | 'event_after_exit' // the same, and the log itself says that the firmware was gone by then
  | 'event_missing' // something that the image puts there was not measured
  | 'image_unknown' // no image that is known boots like this
  | 'image_candidate' // the image is known and not released yet
  | 'image_retired' // the image's time is over
  | 'image_revoked' // the image was withdrawn
  | 'image_below_floor' // the image is older than the oldest version that is allowed
  | 'program_revoked' // a program that started is on a list of revocations
  | 'phase_unknown' // PCR 11 is in no boot phase that the image goes through
  | 'phase_unlogged' // the boot phase was told from the value of PCR 11 alone
  | 'firmware_unknown' // there is no baseline for a PCR of the firmware
  | 'firmware_changed' // the firmware, its settings or option ROMs are not those of the nearest baseline
  | 'secure_boot_off' // Secure Boot was not enforced
  | 'sbat_outdated' // revocations by SBAT are older than what the references want
  | 'dbx_outdated' // revocations by digest are missing that the references want
  | 'mok_enrolled' // keys of the machine's owner may let programs start
  | 'system_unknown' // PCR 15 names a system that nobody has pinned
  | 'system_changed' // PCR 15 is not that of the system that was pinned
  | 'ima_unappraised' // PCR 10 holds more than the kernel's first entry, and there is no list
  | 'ima_offset' // the list does not begin where it was asked for
  | 'ima_mismatch' // no part of the list leads to PCR 10
  | 'ima_aggregate' // the list does not begin with this boot's PCRs
  | 'ima_violation' // a file was changed while it was measured
  | 'ima_unread' // an entry that cannot be taken apart
  | 'ima_file_unknown' // a file was used that the image does not have
  | 'ima_file_denied' // a file was used that is on the list of denied ones
  | 'ima_unlisted' // there is no list of the image's files to compare with
  | 'ima_buffer_unknown' // IMA measured something other than a file that no rule knows
  | 'verity_root' // a verity device with another root hash than the image's
  | 'verity_off' // a verity device was replaced, changed, or taken away
  | 'launch_claimed' // a log of a dynamic launch that PCR 17 knows nothing of
  | 'launch_unknown' // a dynamic launch of programs that no reference knows
  | 'launch_unquoted' // the PCRs of a dynamic launch are not under the quote
  | 'launch_unlogged' // a dynamic launch of which there is no log
  | 'tpm_firmware_changed' // the TPM runs another firmware than at the last attestation
  | 'failed_before' // this boot was refused before
  | 'policy_denied' // the policy does not permit what the facts are
  | 'policy_failed' // the policy could not be evaluated
  | 'findings_left_out'; // there are more findings than are listed

export type AppraisalFinding = Finding<AppraisalFindingCode>;

/** Findings that a verdict lists. A log of 16,384 events can give one or more for each. */
const MAX_FINDINGS = 256;

const GRAVITY = { error: 0, warning: 1, info: 2 } as const;

/** At most so many findings, the gravest first where there are more. */
export function boundedFindings(findings: readonly AppraisalFinding[]): readonly AppraisalFinding[] {
  if (findings.length <= MAX_FINDINGS) return findings;
  // A flood of harmless ones must not push out the one that counts; the sort is stable.
  const listed = findings.toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity]).slice(0, MAX_FINDINGS);
  const leftOut: AppraisalFinding = {
    code: 'findings_left_out',
    severity: 'warning',
    where: { artefact: 'verdict' },
    expected: `at most ${MAX_FINDINGS} findings`,
    actual: String(findings.length),
    hint: 'Mend what is listed first; the rest follows from it, or the log was made to hide something',
  };
  return [...listed, leftOut];
}
