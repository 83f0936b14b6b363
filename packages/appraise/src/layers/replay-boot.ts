// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes, toHex, utf8 } from '@vouchsafe/base';
import {
  type BootEvent,
  checkEventData,
  checkReplay,
  checkSeparators,
  decodeTcgLog,
  decodeUserspaceLog,
  digestOf,
  EventLogError,
  isPcrEvent,
  type Replay,
  replayedPcr,
  replayLogs,
  replayTcgLog,
  type TcgLog,
  type UserspaceEvent,
  type UserspaceLog,
} from '@vouchsafe/eventlog';
import type { Bank } from '@vouchsafe/manifest';
import { formatBank, isTpmHash, isTpmHashAvailable, tpmDigest, type VerifiedQuote } from '@vouchsafe/tpm';
import { IMA_PCR } from '../check-reference.ts';
import type { Evidence } from '../evidence.ts';
import type { AppraisalFinding } from '../finding.ts';
import type { PreparedReferences } from '../references/reference-set.ts';

/** A boot whose logs lead to the quote. */
export interface ReplayedBoot {
  readonly quote: VerifiedQuote;
  /** The bank that is appraised: the best that is quoted whole. */
  readonly bank: Bank;
  readonly log: TcgLog;
  /** What the firmware's log alone leads to: the PCRs as they were when the kernel started. */
  readonly atKernelStart: Replay;
  /** Events that extended PCRs: the firmware's log, then as much of userspace's as is quoted. */
  readonly events: readonly BootEvent[];
  /** Words of boot phases that are in PCR 11 and in no log. */
  readonly unloggedPhases: readonly string[];
}

export interface ReplayOutcome {
  /** Undefined when the logs are not those of the quote. */
  readonly boot: ReplayedBoot | undefined;
  readonly findings: readonly AppraisalFinding[];
}

const LAST_STATIC_PCR = 15;
const PHASE_PCR = 11;
/** What names the system; see the system layer. */
const SYSTEM_PCR = 15;
const BANKS: readonly Bank[] = ['sha256', 'sha384', 'sha512'];

/** Reads the boot logs and replays them to the quote. What does not lead there is not looked at any further. */
export function replayBoot(evidence: Evidence, quote: VerifiedQuote, references: PreparedReferences): ReplayOutcome {
  const { firmware, userspace } = evidence.logs;
  const { bank, findings: bankFindings } = chooseBank(quote);
  if (bank === undefined) return { boot: undefined, findings: bankFindings };
  if (firmware.bytes === undefined) return { boot: undefined, findings: [logMissing()] };
  let log: TcgLog;
  let later: UserspaceLog | undefined;
  try {
    log = decodeTcgLog(firmware.bytes);
    later = userspace === undefined ? undefined : decodeUserspaceLog(userspace);
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    return { boot: undefined, findings: [logMalformed('boot logs', error)] };
  }
  const { quirks } = references;
  const banks = quote.selection.map((selected) => selected.bank);
  const atKernelStart = replayTcgLog(log, { banks, quirks });
  const quotedPart = later === undefined ? undefined : quotedPartOf(later, atKernelStart, quote, bank);
  const replay = quotedPart === undefined ? atKernelStart : replayLogs([log, quotedPart], { banks, quirks });
  const unlogged = unloggedPhases(replay, quote, references.phasePaths);
  const isExplained = ({ code, where }: AppraisalFinding): boolean =>
    code === 'pcr_mismatch' && where.pcr === PHASE_PCR && unlogged.length > 0;
  const findings: AppraisalFinding[] = [
    ...replay.findings,
    ...checkReplay(replay, quote, 'boot logs').filter((finding) => !isExplained(finding)),
    ...checkSeparators(log),
    ...checkEventData(log, bank),
    ...(quotedPart === undefined ? [] : checkEventData(quotedPart, bank, 'userspace log')),
  ];
  const userspaceEvents = (quotedPart?.events ?? []).filter((event): event is BootEvent & UserspaceEvent =>
    isPcrEvent(event),
  );
  const events: BootEvent[] = [...log.events, ...userspaceEvents].filter(({ type }) => type !== 'EV_NO_ACTION');
  findings.push(...checkUnlogged(quote, events));
  if (findings.some(({ severity }) => severity === 'error')) return { boot: undefined, findings };
  return { boot: { quote, bank, log, atKernelStart, events, unloggedPhases: unlogged }, findings };
}

/** The best bank of which all is quoted that a static boot decides. Digests of SHA-1 can be made to order. */
function chooseBank({ selection }: VerifiedQuote): {
  readonly bank: Bank | undefined;
  readonly findings: readonly AppraisalFinding[];
} {
  const quoted = BANKS.flatMap((bank) => {
    const selected = selection.find((entry) => entry.bank === bank);
    return selected === undefined || !isTpmHashAvailable(bank) ? [] : [{ bank, pcrs: new Set(selected.pcrs) }];
  });
  const missingOf = (pcrs: ReadonlySet<number>): number[] =>
    Array.from({ length: LAST_STATIC_PCR + 1 }, (_, pcr) => pcr).filter((pcr) => !pcrs.has(pcr));
  const whole = quoted.find(({ pcrs }) => missingOf(pcrs).length === 0);
  if (whole !== undefined) return { bank: whole.bank, findings: [] };
  const [nearest] = quoted;
  if (nearest === undefined) {
    const found = selection.map(({ bank }) => formatBank(bank)).join(', ');
    const hint = 'Digests of SHA-1 can be forged, and other banks cannot be computed here; quote SHA-256';
    return {
      bank: undefined,
      findings: [
        {
          code: 'reference_bank',
          severity: 'error',
          where: { artefact: 'quote' },
          expected: BANKS.join(', '),
          actual: found,
          hint,
        },
      ],
    };
  }
  const { bank, pcrs } = nearest;
  const findings = missingOf(pcrs).map((pcr): AppraisalFinding => {
    const hint = `PCR ${pcr} is not quoted in ${bank}; ask for it in the challenge`;
    return { code: 'pcr_unquoted', severity: 'error', where: { artefact: 'quote', bank, pcr }, hint };
  });
  return { bank: undefined, findings };
}

/**
 * The log is read after the quote was made: what userspace has measured in between is not yet evidence. The shortest part
 * after which every PCR that the log is about has its quoted value; all of it where none does.
 */
function quotedPartOf(later: UserspaceLog, start: Replay, quote: VerifiedQuote, bank: Bank): UserspaceLog {
  const quoted = new Map(quote.pcrs.filter((value) => value.bank === bank).map(({ pcr, value }) => [pcr, value]));
  const replayed = start.banks.get(bank);
  const values = new Map<number, Uint8Array>();
  for (const { pcr } of later.events) {
    if (pcr !== undefined && quoted.has(pcr))
      values.set(pcr, replayed === undefined ? new Uint8Array() : replayedPcr(start, replayed, pcr));
  }
  const isEqual = (pcr: number): boolean =>
    bytesEqual(values.get(pcr) ?? new Uint8Array(), quoted.get(pcr) ?? new Uint8Array(1));
  let different = [...values.keys()].filter((pcr) => !isEqual(pcr)).length;
  if (different === 0) return { ...later, events: [] };
  for (const [i, event] of later.events.entries()) {
    const { pcr } = event;
    const value = pcr === undefined ? undefined : values.get(pcr);
    const digest = digestOf(event, bank);
    if (pcr === undefined || value === undefined || digest === undefined) continue;
    const was = isEqual(pcr);
    values.set(pcr, tpmDigest(bank, concatBytes(value, digest)));
    different += Number(was) - Number(isEqual(pcr));
    if (different === 0) return { ...later, events: later.events.slice(0, i + 1) };
  }
  return later;
}

/**
 * systemd-pcrextend puts boot phases into PCR 11; versions before 255 keep no log of it. The words of one of the paths that
 * images go through, as many as lead from what is logged to the quoted value, in every quoted bank; none where none do.
 */
function unloggedPhases(
  replay: Replay,
  quote: VerifiedQuote,
  paths: PreparedReferences['phasePaths'],
): readonly string[] {
  const banks = quote.pcrs.filter(({ pcr, bank }) => pcr === PHASE_PCR && isTpmHash(bank) && isTpmHashAvailable(bank));
  const lengthOf = (words: readonly string[], { bank, value: quoted }: (typeof banks)[number]): number => {
    const replayed = replay.banks.get(bank);
    if (replayed === undefined || !isTpmHash(bank)) return 0;
    let value = replayedPcr(replay, replayed, PHASE_PCR);
    for (const [i, word] of words.entries()) {
      value = tpmDigest(bank, concatBytes(value, tpmDigest(bank, utf8(word))));
      if (bytesEqual(value, quoted)) return i + 1;
    }
    return 0;
  };
  for (const words of paths) {
    const [length = 0, ...others] = banks.map((quoted) => lengthOf(words, quoted));
    if (length > 0 && others.every((other) => other === length)) return words.slice(0, length);
  }
  return [];
}

/** A PCR that no log extends is as it was after the reset, in every quoted bank: what was put there, nobody says. */
function checkUnlogged({ pcrs }: VerifiedQuote, events: readonly BootEvent[]): AppraisalFinding[] {
  const logged = new Set(events.map(({ pcr }) => pcr));
  return pcrs.flatMap(({ bank, pcr, value }): AppraisalFinding[] => {
    const isElsewhere = pcr === IMA_PCR || pcr === SYSTEM_PCR || pcr > LAST_STATIC_PCR;
    if (isElsewhere || logged.has(pcr) || value.every((octet) => octet === 0)) return [];
    const where = { artefact: 'quote', pcr, bank: formatBank(bank) };
    const hint = `PCR ${pcr} was extended, and no log says with what`;
    return [{ code: 'pcr_unpredicted', severity: 'error', where, actual: toHex(value), hint }];
  });
}

export function logMalformed(artefact: string, error: EventLogError): AppraisalFinding {
  const hint = 'The log cannot be read; send it whole, as the kernel or systemd gives it';
  return { code: 'log_malformed', severity: 'error', where: { artefact }, actual: error.message, hint };
}

function logMissing(): AppraisalFinding {
  const hint = 'This boot was not appraised before, so that its log is needed; send it';
  return { code: 'log_missing', severity: 'error', where: { artefact: 'event log' }, hint };
}
