// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { checkQuote, type VerifiedQuote } from '@vouchsafe/tpm';
import type { AppraisalInput } from './appraisal-input.ts';
import { appraiseStatic, basisOf, type StaticOutcome } from './appraise-static.ts';
import type { BootState } from './boot-state.ts';
import { IMA_PCR } from './check-reference.ts';
import type { Evidence } from './evidence.ts';
import { type Facts, unknownFacts } from './facts.ts';
import type { AppraisalFinding, AppraisalFindingCode } from './finding.ts';
import { appraiseClock, type ClockOutcome } from './layers/clock.ts';
import { appraiseRuntime, type RuntimeOutcome } from './layers/runtime.ts';
import type { PreparedReferences } from './references/reference-set.ts';
import { settleVerdict } from './settle-verdict.ts';
import type { Verdict } from './verdict.ts';

/** PCR values in one list: every PCR of every bank that a TPM could have. */
const MAX_PCR_VALUES = 16 * 32;

/**
 * Appraises what a machine sent: the quote holds, the clock went on, the logs lead to what was quoted, and image, firmware,
 * Secure Boot, runtime and dynamic launch are compared with references. What is found are facts; the policy decides over them.
 *
 * Pure and total: whatever is sent, a verdict comes back, and what is unknown, missing, unmatched or unreadable is not
 * affirming. As long as boot and references stay the same, what was settled before is not settled again.
 * @throws {TpmError} 'argument_invalid' for an expectation that anything would meet: a mistake of the verifier.
 */
export function appraise(input: AppraisalInput): Verdict {
  const { evidence, expected, previous, identity } = input;
  const unknown = unknownFacts(identity);
  const refuse = (findings: readonly AppraisalFinding[]): Verdict =>
    settleVerdict(input, { isAuthentic: false, facts: unknown, findings, events: [], used: [], state: previous });
  if (evidence.quote.pcrs.length > MAX_PCR_VALUES) return refuse([tooManyValues(evidence.quote.pcrs.length)]);
  const outcome = checkQuote(evidence.quote, expected);
  if (!outcome.isGood) return refuse(outcome.findings);
  const { quote } = outcome;
  const clock = appraiseClock(previous, quote.attest.clockInfo);
  const firmware = digestOfLog(evidence);
  const logs = { ...logDigests(evidence), firmwareSha256: firmware };
  const pcrs = digestOfPcrs(quote);
  const tpmFirmware = quote.attest.firmwareVersion.toString(16);
  const settled = settledBefore(input, clock, { ...logs, pcrs });
  const fixed = settled ?? appraiseStatic(input, quote, unknown);
  const runtime = appraiseRest(input, quote, clock, fixed);
  const findings = [
    ...clock.findings,
    ...differentLog(previous, clock, firmware),
    ...otherTpmFirmware(previous, tpmFirmware),
    ...fixed.findings,
    ...(runtime?.findings ?? []),
    ...failedBefore(previous, clock),
  ];
  const hasFailed = !clock.isNewBoot && previous?.failure !== undefined;
  const facts: Facts = {
    ...unknown,
    ...fixed.facts,
    quote: { isGood: true, bank: fixed.bank ?? '' },
    clock: clock.facts,
    ...(runtime === undefined ? {} : { runtime: runtime.facts }),
    history: { hasFailed },
  };
  const state: BootState = {
    form: 1,
    // What went back is held against what follows, too.
    clock:
      previous !== undefined && !clock.facts.isConsistent
        ? previous.clock
        : { ...quote.attest.clockInfo, clock: String(quote.attest.clockInfo.clock) },
    tpmFirmware,
    atMs: input.nowMs,
    ...logs,
    // Logs that were not sent again are those of before.
    ...(settled === undefined ? {} : keptDigests(previous)),
    pcrs,
    bank: fixed.bank ?? '',
    ...(fixed.settled === undefined ? {} : { settled: fixed.settled }),
    ...(runtime?.state === undefined ? {} : { ima: runtime.state }),
    ...failureOf(previous, hasFailed, findings, input.nowMs),
  };
  const { events, used, image } = fixed;
  return settleVerdict(input, {
    isAuthentic: true,
    facts,
    findings,
    events,
    used,
    state,
    ...(image === undefined ? {} : { image }),
  });
}

/** From which octet of IMA's list on the next evidence should have it. */
export function wantedImaOffset(previous: BootState | undefined, references: PreparedReferences): number {
  const ima = previous?.ima;
  if (ima === undefined) return 0;
  const { unknownFiles, isAppraised } = ima.facts;
  // Other references may know what was unknown: the whole list is looked at again.
  const isWorthIt = ima.references !== references.sha256 && (unknownFiles > 0 || !isAppraised);
  return isWorthIt ? 0 : ima.offset;
}

function tooManyValues(count: number): AppraisalFinding {
  return {
    code: 'evidence_limit',
    severity: 'error',
    where: { artefact: 'quote' },
    expected: `at most ${MAX_PCR_VALUES} PCR values`,
    actual: String(count),
    hint: 'Send one value for each quoted PCR',
  };
}

const sha256 = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : toHex(digest('sha256', bytes)));

/** What is said of a log counts only where the log is not at hand. */
function digestOfLog({ logs: { firmware } }: Evidence): string {
  return firmware.bytes === undefined ? firmware.sha256 : sha256(firmware.bytes);
}

function logDigests({ logs }: Evidence): Pick<BootState, 'userspaceSha256' | 'launchSha256'> {
  return { userspaceSha256: sha256(logs.userspace), launchSha256: sha256(logs.launch) };
}

function digestOfPcrs({ pcrs, selection }: VerifiedQuote): string {
  const quoted = utf8(JSON.stringify(selection));
  return sha256(concatBytes(quoted, ...pcrs.filter(({ pcr }) => pcr !== IMA_PCR).map(({ value }) => value)));
}

/** The outcome of the last time, if nothing has changed that it rests on. */
function settledBefore(
  input: AppraisalInput,
  { isSameBoot }: ClockOutcome,
  now: Pick<BootState, 'firmwareSha256' | 'userspaceSha256' | 'launchSha256' | 'pcrs'>,
): StaticOutcome | undefined {
  const { previous, nowMs } = input;
  const settled = previous?.settled;
  if (previous === undefined || settled === undefined || !isSameBoot) return undefined;
  const { ima } = input.evidence.logs;
  // A list from its beginning on is held against how the kernel started, which the boot log alone tells.
  const isWholeList = ima !== undefined && ima.offset === 0 && ima.bytes.length > 0;
  const isSame =
    !isWholeList &&
    settled.basis === basisOf(input) &&
    nowMs < (settled.untilMs ?? Number.POSITIVE_INFINITY) &&
    previous.firmwareSha256 === now.firmwareSha256 &&
    previous.pcrs === now.pcrs &&
    // These need not be sent again; what is sent must be what it was.
    (now.userspaceSha256 === '' || previous.userspaceSha256 === now.userspaceSha256) &&
    (now.launchSha256 === '' || previous.launchSha256 === now.launchSha256);
  if (!isSame) return undefined;
  const { facts, findings, used, image } = settled;
  const bank = previous.bank as StaticOutcome['bank'];
  return { bank, facts, findings, events: [], used, image, settled, atKernelStart: undefined };
}

function appraiseRest(
  { evidence, previous, references }: AppraisalInput,
  quote: VerifiedQuote,
  { isNewBoot }: ClockOutcome,
  fixed: StaticOutcome,
): RuntimeOutcome | undefined {
  // The logs were not believed, so that nothing is known of how the kernel started.
  if (fixed.bank === undefined || fixed.facts.log?.isGood !== true) return undefined;
  const image = references.images.find(({ sha256: hex }) => hex === fixed.image?.sha256);
  return appraiseRuntime(
    quote,
    fixed.bank,
    evidence,
    isNewBoot ? undefined : previous?.ima,
    {
      atKernelStart: fixed.atKernelStart,
      files: image?.files,
      roots: image?.manifest.roots ?? [],
      images: references.images,
      deniedFiles: references.deniedFiles,
      allowedFiles: references.allowedFiles,
      imaKeys: references.imaKeys,
    },
    references.sha256,
  );
}

function differentLog(previous: BootState | undefined, { isNewBoot }: ClockOutcome, now: string): AppraisalFinding[] {
  if (previous === undefined || isNewBoot || previous.firmwareSha256 === now) return [];
  const where = { artefact: 'event log' };
  const hint =
    'The TPM was not reset since the last attestation, and the boot log is another; send the log of this boot';
  return [{ code: 'log_differs', severity: 'error', where, expected: previous.firmwareSha256, actual: now, hint }];
}

function keptDigests(previous: BootState | undefined): Partial<BootState> {
  if (previous === undefined) return {};
  const { userspaceSha256, launchSha256 } = previous;
  return { userspaceSha256, launchSha256 };
}

function otherTpmFirmware(previous: BootState | undefined, now: string): AppraisalFinding[] {
  if (previous === undefined || previous.tpmFirmware === now) return [];
  const where = { artefact: 'quote', path: 'firmwareVersion' };
  const hint = 'The TPM runs another firmware than at the last attestation; was it updated on purpose?';
  return [
    { code: 'tpm_firmware_changed', severity: 'warning', where, expected: previous.tpmFirmware, actual: now, hint },
  ];
}

function failedBefore(previous: BootState | undefined, { isNewBoot }: ClockOutcome): AppraisalFinding[] {
  if (previous?.failure === undefined || isNewBoot) return [];
  const { codes } = previous.failure;
  const hint = 'This boot was refused before, and stays so until the machine starts anew or an operator clears it';
  return [{ code: 'failed_before', severity: 'error', where: { artefact: 'history' }, actual: codes.join(', '), hint }];
}

/** Findings that go away when the verifier's side, or what is sent, is mended: they leave no mark on the boot. */
const PASSING: ReadonlySet<AppraisalFindingCode> = new Set([
  'failed_before',
  'log_missing',
  'log_malformed',
  'ima_offset',
  'pcr_unquoted',
  'reference_bank',
  'reference_empty',
  'image_candidate',
  'image_retired',
  'image_revoked',
  'image_below_floor',
  'firmware_changed',
  'system_changed',
]);

/** One failure stays a failure (A54), whatever is sent afterwards. */
function failureOf(
  previous: BootState | undefined,
  hasFailed: boolean,
  findings: readonly AppraisalFinding[],
  nowMs: number,
): Pick<BootState, 'failure'> {
  if (hasFailed && previous?.failure !== undefined) return { failure: previous.failure };
  const codes = findings
    .filter(({ severity, code }) => severity === 'error' && !PASSING.has(code))
    .map(({ code }) => code);
  return codes.length === 0 ? {} : { failure: { atMs: nowMs, codes: [...new Set(codes)].slice(0, 16) } };
}
