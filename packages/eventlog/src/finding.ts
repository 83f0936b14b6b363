// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';

/** What can be said against a log that is well-formed. */
export type LogFindingCode =
  | 'event_pcr_range' // an event for a PCR that a TPM does not have
  | 'event_pcr_drtm' // a firmware event for a PCR that only a dynamic launch extends
  | 'event_pcr_static' // an event of a dynamic launch for a PCR of the static boot
  | 'no_action_digest' // an EV_NO_ACTION event with a digest, as if it had been extended
  | 'startup_locality_late' // StartupLocality after PCR 0 was extended, or elsewhere than for PCR 0
  | 'startup_locality_repeated' // a second StartupLocality event
  | 'startup_locality_value' // a locality that TPM2_Startup cannot have
  | 'bank_incomplete' // an extended event without a digest of a bank that other events have
  | 'bank_uncomputable' // a bank that this runtime cannot replay
  | 'bank_missing' // the log has no digests of the quoted bank
  | 'pcr_mismatch' // the log does not replay to the quoted value
  | 'pcr_never_extended' // a firmware PCR that the quote shows to be untouched
  | 'separator_missing' // no EV_SEPARATOR in one of PCR 0 to 7
  | 'separator_repeated' // a second EV_SEPARATOR in one of PCR 0 to 7
  | 'separator_type' // a separator's digest under another type, or the type with another digest
  | 'separator_error' // the firmware measured that an error had happened
  | 'event_data_mismatch' // data that its digest should cover, and does not
  | 'secure_boot_event' // an event in PCR 7 that the firmware does not put there, or not at that place
  | 'secure_boot_variable' // a variable of Secure Boot that is missing, there twice, or not what was measured
  | 'ima_template_hash'; // an IMA entry whose template hash is not that of its data

export type LogFinding = Finding<LogFindingCode>;

/** What each means, and what to do. */
const HINTS: Readonly<Record<LogFindingCode, string>> = {
  event_pcr_range: 'The event was left out of the replay; the log was written by broken or hostile software',
  event_pcr_drtm: 'The event was left out of the replay; a firmware log cannot speak for PCR 17 to 22',
  event_pcr_static: 'The event was left out of the replay; a dynamic launch speaks for PCR 17 to 22 alone',
  no_action_digest: 'The event was left out of the replay, as its type says; nothing it contains is measured',
  startup_locality_late: 'The event was ignored; the firmware logs it before it extends PCR 0',
  startup_locality_repeated: 'The event was ignored; only the first one counts',
  startup_locality_value: 'The event was ignored; localities are 0, 3 and, after an H-CRTM, 4',
  bank_incomplete: 'The PCR cannot be replayed in this bank; quote another bank of the log',
  bank_uncomputable: 'This verifier does not have the hash; quote another bank',
  bank_missing: 'The log cannot be checked in this bank; quote a bank that the firmware logs',
  pcr_mismatch: 'Events were left out, added or changed, or the log is of another boot; send the log of this boot',
  pcr_never_extended: 'The firmware does not measure into this bank, so that anybody may; quote another bank',
  separator_missing: 'The firmware ends its measurements with a separator; the log was cut, or the boot was',
  separator_repeated:
    'What was measured after the first separator is not the firmware; treat the boot as tampered with',
  separator_type: 'The type of an event is not measured: somebody may have changed it to hide or to forge a separator',
  separator_error: 'The firmware reported an error while it measured; see the text of the event',
  event_data_mismatch: 'The data is not what was measured: it may be forged, so nothing in it was believed',
  secure_boot_event: 'Its type may have been changed to hide what it measured; treat Secure Boot as unknown',
  secure_boot_variable: 'The state of Secure Boot cannot be told from this log; treat it as off',
  ima_template_hash: 'The entry was changed after it was measured, or the list is of another hash',
};

/** A finding of a log, with its hint. */
export function logFinding(
  code: LogFindingCode,
  where: LogFinding['where'],
  values: { readonly severity?: LogFinding['severity']; readonly expected?: string; readonly actual?: string } = {},
): LogFinding {
  const { severity = 'error', ...rest } = values;
  return { code, severity, where, ...rest, hint: HINTS[code] };
}
