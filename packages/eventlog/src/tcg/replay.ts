// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, concatBytes } from '@vouchsafe/base';
import { digest as computeDigest } from '@vouchsafe/crypto';
import {
  digestAlgorithmOf,
  formatBank,
  isTpmHash,
  isTpmHashAvailable,
  PCR_COUNT,
  type TpmBank,
  type TpmHash,
  tpmDigest,
  tpmHashSize,
} from '@vouchsafe/tpm';
import { digestOf } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import type { TcgEvent, TcgLog } from './log.ts';
import { startupLocalityOf } from './startup.ts';

/** One bank of a replay. */
export interface ReplayedBank {
  readonly bank: TpmHash;
  /** The PCRs that the log extends, and their values at its end. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
}

/** What the PCRs must be if the log is true. It says nothing about whether that is good. */
export interface Replay {
  /** Banks that were replayed; one that is incomplete or cannot be computed here is left out, with a finding. */
  readonly banks: ReadonlyMap<TpmBank, ReplayedBank>;
  /** What PCR 0 started from: the locality of TPM2_Startup, 4 after an H-CRTM, else 0. */
  readonly startupLocality: number;
  readonly findings: readonly LogFinding[];
}

/** Extensions that a firmware is known to make without logging them, by name. */
export type ReplayQuirk =
  /**
   * Some firmware extends PCR 5 for ExitBootServices after the operating system has taken its copy of the log: the two
   * actions of a successful call are added where the log has neither. go-attestation knows it as ebs_event_missing.
   */
  'exit_boot_services_unlogged';

export interface ReplayOptions {
  /** What to call the log in findings. */
  readonly artefact?: string;
  /** Banks to replay; all that the log declares unless given. */
  readonly banks?: readonly TpmBank[];
  readonly quirks?: readonly ReplayQuirk[];
}

/** PCRs that a dynamic launch alone extends, and resets. PC Client Platform TPM Profile, section 4.6. */
const isDrtmPcr = (pcr: number): boolean => pcr >= 17 && pcr <= 22;

/** Profile 1.06, section 10.4.3 (EV_EFI_ACTION): measured into PCR 5, in this order. */
const EXIT_ACTIONS = [ascii('Exit Boot Services Invocation'), ascii('Exit Boot Services Returned with Success')];

/**
 * Replays a firmware log: PCR := H(PCR || digest), for each event and bank. TCG PC Client Platform Firmware Profile
 * 1.06, section 10.4.1; TPM 2.0 Library, Part 1, section 17.2. Events that no TPM can have extended are left out and
 * reported, so that a log cannot use them to reach a value.
 */
export function replayTcgLog(log: TcgLog, options: ReplayOptions = {}): Replay {
  const { artefact = 'event log', quirks = [] } = options;
  const findings: LogFinding[] = [];
  const { extended, startupLocality } = select(log.events, artefact, findings);
  const isExitUnlogged = quirks.includes('exit_boot_services_unlogged') && !hasExitActions(extended);
  const banks = new Map<TpmBank, ReplayedBank>();
  for (const bank of options.banks ?? log.banks) {
    const finding = obstacle(log, extended, bank, artefact);
    if (finding !== undefined) findings.push(finding);
    else if (isTpmHash(bank)) {
      const pcrs = replayBank(extended, bank, startupLocality);
      for (const action of isExitUnlogged ? EXIT_ACTIONS : []) {
        pcrs.set(5, extend(bank, pcrs.get(5) ?? initialPcr(bank, 5), tpmDigest(bank, action)));
      }
      banks.set(bank, { bank, pcrs });
    }
  }
  return { banks, startupLocality, findings };
}

interface Selected {
  readonly extended: readonly TcgEvent[];
  readonly startupLocality: number;
}

/** The events that were extended, in order, and what PCR 0 started from. */
function select(events: readonly TcgEvent[], artefact: string, findings: LogFinding[]): Selected {
  const extended: TcgEvent[] = [];
  let declared: number | undefined;
  let hasExtendedPcr0 = false;
  let hasHcrtm = false;
  for (const event of events) {
    const where = { artefact, pcr: event.pcr, event: event.index, offset: event.offset };
    if (event.type === 'EV_NO_ACTION') {
      // Profile 1.06, section 10.4.1: EV_NO_ACTION is informative and is not extended; its digests are zeros.
      if (event.digests.some(({ digest }) => digest.some((octet) => octet !== 0))) {
        findings.push(logFinding('no_action_digest', where, { severity: 'warning' }));
      }
      const locality = startupLocalityOf(event);
      if (locality === undefined) continue;
      // Section 10.4.5.3: one event, for PCR 0, before anything is extended there.
      if (declared !== undefined) findings.push(logFinding('startup_locality_repeated', where));
      else if (event.pcr !== 0 || hasExtendedPcr0) findings.push(logFinding('startup_locality_late', where));
      else if (locality !== 0 && locality !== 3 && locality !== 4) {
        findings.push(logFinding('startup_locality_value', where, { expected: '0, 3 or 4', actual: String(locality) }));
      } else declared = locality;
      continue;
    }
    if (event.pcr >= PCR_COUNT) {
      findings.push(logFinding('event_pcr_range', where, { expected: '0 to 23', actual: String(event.pcr) }));
      continue;
    }
    if (isDrtmPcr(event.pcr)) {
      findings.push(logFinding('event_pcr_drtm', where));
      continue;
    }
    if (event.pcr === 0) {
      // Section 10.4.1, EV_EFI_HCRTM_EVENT: the H-CRTM is measured at locality 4, before everything else in PCR 0.
      if (!hasExtendedPcr0 && event.type === 'EV_EFI_HCRTM_EVENT') hasHcrtm = true;
      hasExtendedPcr0 = true;
    }
    extended.push(event);
  }
  return { extended, startupLocality: hasHcrtm ? 4 : (declared ?? 0) };
}

/** Why a bank cannot be replayed. */
function obstacle(log: TcgLog, extended: readonly TcgEvent[], bank: TpmBank, artefact: string): LogFinding | undefined {
  const where = { artefact, bank: formatBank(bank) };
  if (!log.banks.includes(bank)) return logFinding('bank_missing', where);
  if (!isTpmHash(bank) || !isTpmHashAvailable(bank)) {
    return logFinding('bank_uncomputable', where, { severity: 'warning' });
  }
  const without = extended.find((event) => digestOf(event, bank) === undefined);
  if (without === undefined) return undefined;
  return logFinding('bank_incomplete', { ...where, pcr: without.pcr, event: without.index, offset: without.offset });
}

function replayBank(events: readonly TcgEvent[], bank: TpmHash, startupLocality: number): Map<number, Uint8Array> {
  const size = tpmHashSize(bank);
  const algorithm = digestAlgorithmOf(bank);
  const pcrs = new Map<number, Uint8Array>();
  const input = new Uint8Array(2 * size);
  for (const event of events) {
    input.set(pcrs.get(event.pcr) ?? initialPcr(bank, event.pcr, startupLocality), 0);
    input.set(digestOf(event, bank) as Uint8Array, size);
    pcrs.set(event.pcr, computeDigest(algorithm, input));
  }
  return pcrs;
}

function extend(bank: TpmHash, value: Uint8Array, digest: Uint8Array): Uint8Array {
  return tpmDigest(bank, concatBytes(value, digest));
}

/**
 * A PCR after TPM2_Startup(CLEAR): zeros; ones for PCR 17 to 22; PCR 0 holds the locality in its last octet. PC Client
 * Platform TPM Profile, section 4.6; TPM 2.0 Library, Part 3, section 9.3.
 */
export function initialPcr(bank: TpmHash, pcr: number, startupLocality = 0): Uint8Array {
  const value = new Uint8Array(tpmHashSize(bank)).fill(isDrtmPcr(pcr) ? 0xff : 0);
  if (pcr === 0) value[value.length - 1] = startupLocality;
  return value;
}

function hasExitActions(events: readonly TcgEvent[]): boolean {
  return events.some(({ pcr, data }) => pcr === 5 && EXIT_ACTIONS.some((action) => bytesEqual(data, action)));
}

/** A PCR by the replay, whether the log extends it or not; for messages and comparisons. */
export function replayedPcr(replay: Replay, { bank, pcrs }: ReplayedBank, pcr: number): Uint8Array {
  return pcrs.get(pcr) ?? initialPcr(bank, pcr, replay.startupLocality);
}
