// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual } from '@vouchsafe/base';
import { formatBank, isTpmHash, isTpmHashAvailable, type TpmBank, type TpmHash } from '@vouchsafe/tpm';
import { digestOf, type LogEvent } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import { hashedData, templateDigest } from '../ima/template-digest.ts';
import type { BootLog } from '../log.ts';
import { type Extended, extendedEvents } from './extended.ts';
import { initialPcr } from './initial.ts';
import { Registers } from './registers.ts';
import type { Replay, ReplayedBank } from './replay.ts';

/** Extensions that a firmware is known to make without logging them, by name. */
export type ReplayQuirk =
  /**
   * Some firmware extends PCR 5 for ExitBootServices after the operating system has taken its copy of the log: the two
   * actions of a successful call are added where the log has neither. go-attestation knows it as ebs_event_missing.
   */
  | 'exit_boot_services_unlogged'
  /**
   * Linux before 5.8 extended each bank with the SHA-1 template digest of an IMA entry, and zeros behind it. Later ones
   * hash the entry anew for each bank.
   */
  | 'ima_sha1_padded'
  /** The firmware started the TPM at locality 3 and does not log it: hardware with Boot Guard, of which some leaves it out. */
  | 'startup_locality_3_unlogged';

export interface ReplayOptions {
  /** What to call each log in findings. */
  readonly artefacts?: readonly string[];
  /** Banks to replay; all that any of the logs has digests of unless given. */
  readonly banks?: readonly TpmBank[];
  readonly quirks?: readonly ReplayQuirk[];
}

const NAMES: Readonly<Record<BootLog['kind'], string>> = {
  tcg: 'event log',
  ima: 'IMA list',
  userspace: 'userspace log',
  cel: 'canonical log',
  drtm: 'launch log',
};

/** Profile 1.06, section 10.4.4 (EV_EFI_ACTION Event Types): measured into PCR 5, in this order. */
const EXIT_ACTIONS = [ascii('Exit Boot Services Invocation'), ascii('Exit Boot Services Returned with Success')];

/**
 * Replays logs of one boot, in the order given: the firmware's first. PCR := H(PCR || digest), for each event and bank. TCG
 * PC Client Platform Firmware Profile 1.06, section 10.4.1; TPM 2.0 Library, Part 1, section 17.2. Events that no TPM can
 * have extended are left out and reported, so that a log cannot use them to reach a value.
 *
 * A PCR that one event extends with something that no log says in a bank is unknown in it; the others still count.
 */
export function replayLogs(logs: readonly BootLog[], options: ReplayOptions = {}): Replay {
  const { quirks = [], artefacts = [] } = options;
  const findings: LogFinding[] = [];
  const parts = partsOf(logs, artefacts, findings);
  const declared = parts.find(({ startupLocality }) => startupLocality !== undefined)?.startupLocality;
  const startupLocality = declared ?? (quirks.includes('startup_locality_3_unlogged') ? 3 : 0);
  const start: Start = { startupLocality, hasLaunched: parts.some(({ hasLaunched }) => hasLaunched), quirks };
  const banks = new Map<TpmBank, ReplayedBank>();
  for (const bank of options.banks ?? banksOf(logs)) {
    const finding = obstacle(parts, bank);
    if (finding !== undefined) findings.push(finding);
    else banks.set(bank, replayBank(parts, bank as TpmHash, start, findings));
  }
  return { banks, startupLocality, hasLaunched: start.hasLaunched, findings };
}

/**
 * The findings of `replayLogs`, without the values: no digest is computed.
 * @param options what findings depend on; quirks change values alone
 */
export function replayFindings(
  logs: readonly BootLog[],
  { artefacts = [], banks = banksOf(logs) }: Omit<ReplayOptions, 'quirks'> = {},
): LogFinding[] {
  const findings: LogFinding[] = [];
  const parts = partsOf(logs, artefacts, findings);
  for (const bank of banks) {
    const finding = obstacle(parts, bank);
    if (finding !== undefined) findings.push(finding);
    else unknownPcrs(parts, bank as TpmHash, findings);
  }
  return findings;
}

function partsOf(logs: readonly BootLog[], artefacts: readonly string[], findings: LogFinding[]): Part[] {
  return logs.map((log, i): Part => {
    const artefact = artefacts[i] ?? NAMES[log.kind];
    return { log, artefact, ...extendedEvents(log, artefact, findings) };
  });
}

interface Part extends Extended {
  readonly log: BootLog;
  readonly artefact: string;
}

interface Start {
  readonly startupLocality: number;
  readonly hasLaunched: boolean;
  readonly quirks: readonly ReplayQuirk[];
}

/** The banks of the logs that name them; an IMA list can be replayed in any, and decides only where it is alone. */
export function banksOf(logs: readonly BootLog[]): TpmBank[] {
  const named = logs.filter(({ kind }) => kind !== 'ima');
  const lists = named.length > 0 ? named.map(({ banks }) => banks) : [IMA_BANKS];
  return [...new Set(lists.flat())];
}

/** What today's machines have; others can be asked for. */
const IMA_BANKS: readonly TpmBank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** Why a bank cannot be replayed at all. */
function obstacle(parts: readonly Part[], bank: TpmBank): LogFinding | undefined {
  const where = { artefact: parts[0]?.artefact ?? 'event log', bank: formatBank(bank) };
  if (!parts.some(({ log }) => log.banks.includes(bank))) return logFinding('bank_missing', where);
  if (!isTpmHash(bank) || !isTpmHashAvailable(bank)) {
    return logFinding('bank_uncomputable', where, { severity: 'warning' });
  }
  return undefined;
}

function replayBank(parts: readonly Part[], bank: TpmHash, start: Start, findings: LogFinding[]): ReplayedBank {
  const { startupLocality, hasLaunched, quirks } = start;
  const pcrs = new Registers<number>(bank, (pcr) => initialPcr(bank, pcr, startupLocality, hasLaunched));
  const nvPcrs = new Registers<string>(bank, () => initialPcr(bank, -1));
  for (const { events } of parts) {
    for (const event of events) {
      if (event.source === 'ima') extendEntry(pcrs, event, quirks);
      else {
        const digest = digestOf(event, bank);
        // systemd gives an NvPCR the hash that it likes: it has no bank, and a digest of another hash is not its.
        if (digest === undefined) continue;
        if (event.pcr === undefined) nvPcrs.extend(nvKey(event), digest);
        else pcrs.extend(event.pcr, digest);
      }
    }
  }
  if (quirks.includes('exit_boot_services_unlogged') && !parts.some(({ events }) => hasExitActions(events))) {
    for (const action of EXIT_ACTIONS) pcrs.extendHashOf(5, action);
  }
  const values = pcrs.values();
  const unknown = unknownPcrs(parts, bank, findings);
  for (const pcr of unknown) values.delete(pcr);
  return { bank, pcrs: values, unknown, nvPcrs: nvPcrs.values() };
}

/** The PCRs that some event extends with something that no log says in a bank, each reported at the first such event. */
function unknownPcrs(parts: readonly Part[], bank: TpmHash, findings: LogFinding[]): Set<number> {
  const unknown = new Set<number>();
  for (const { events, artefact } of parts) {
    for (const event of events) {
      const { pcr, index, offset, source } = event;
      if (pcr === undefined || source === 'ima' || unknown.has(pcr) || digestOf(event, bank) !== undefined) continue;
      unknown.add(pcr);
      findings.push(logFinding('bank_incomplete', { artefact, bank, pcr, event: index, offset }));
    }
  }
  return unknown;
}

/** Linux, ima_queue.c and ima_crypto.c: each bank has its own hash of the data, and a violation is extended with ones. */
function extendEntry(pcrs: Registers<number>, event: LogEvent, quirks: readonly ReplayQuirk[]): void {
  const { pcr = 0, digests, data, type } = event;
  const isViolation = digests.every(({ digest }) => digest.every((octet) => octet === 0));
  if (isViolation) pcrs.extendOnes(pcr);
  else if (quirks.includes('ima_sha1_padded')) {
    // Not the digest that the list has: the data is what is believed later, so that it must be what was measured.
    pcrs.extend(pcr, templateDigest(String(type), data, 'sha1'));
  } else pcrs.extendHashOf(pcr, hashedData(String(type), data));
}

function nvKey(event: LogEvent): string {
  if (event.pcr !== undefined) return '';
  return event.nvName ?? `0x${(event.nvIndex ?? 0).toString(16)}`;
}

function hasExitActions(events: readonly LogEvent[]): boolean {
  return events.some(({ pcr, data }) => pcr === 5 && EXIT_ACTIONS.some((action) => bytesEqual(data, action)));
}
