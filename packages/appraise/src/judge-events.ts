// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, toHex } from '@vouchsafe/base';
import { type BootEvent, digestOf, type TcgLog } from '@vouchsafe/eventlog';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { PCR_COUNT, tpmDigest } from '@vouchsafe/tpm';
import type { JudgedEvent } from './boot-verdict.ts';
import type { AppraisalFinding } from './finding.ts';
import { matchEvents } from './match-events.ts';

/** PCRs of the machine: firmware, its settings, option ROMs. They need a baseline, which is not part of an image. */
const MACHINE_PCRS: ReadonlySet<number> = new Set([0, 1, 2, 3, 6]);

/** Judges every event that was extended, and every one that was predicted, in whichever PCR. */
export function judgeEvents(log: TcgLog, bank: Bank, predictions: readonly PredictedEvent[]): JudgedEvent[] {
  const real = byPcr(log.events.filter(({ type }) => type !== 'EV_NO_ACTION'));
  const predicted = byPcr(predictions);
  return Array.from({ length: PCR_COUNT }, (_, pcr) => {
    const [events, expected] = [real.get(pcr) ?? [], predicted.get(pcr) ?? []];
    const isWithoutBaseline = MACHINE_PCRS.has(pcr) && expected.length === 0;
    return isWithoutBaseline ? judgeMachine(bank, events) : matchEvents(bank, events, expected);
  }).flat();
}

function byPcr<T extends { readonly pcr: number }>(items: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(item.pcr);
    if (group === undefined) groups.set(item.pcr, [item]);
    else group.push(item);
  }
  return groups;
}

/**
 * Up to the separator a PCR of the machine is the firmware's. What follows may be anybody's, as a running system can extend
 * these PCRs and append to the log what fits: PFP 1.06, section 3.3.4; only the order within a PCR is measured. The
 * separator is known by its digest, since its type is not measured.
 */
function judgeMachine(bank: Bank, events: readonly BootEvent[]): JudgedEvent[] {
  const boundaries = [0x00, 0xff].map((octet) => tpmDigest(bank, new Uint8Array(4).fill(octet)));
  const isBoundary = (event: BootEvent): boolean => {
    const digest = digestOf(event, bank);
    return digest !== undefined && boundaries.some((boundary) => bytesEqual(boundary, digest));
  };
  const last = events.findIndex(isBoundary);
  return events.map(({ pcr, index }, i) => ({
    pcr,
    event: index,
    judgement: last >= 0 && i > last ? 'unexpected' : 'machine',
    predicted: undefined,
  }));
}

/** What is wrong with the events, and what cannot be said of them. */
export function checkJudged(judged: readonly JudgedEvent[], log: TcgLog, bank: Bank): AppraisalFinding[] {
  const exit = exitIndex(log, bank);
  const machine = new Set(judged.filter(({ judgement }) => judgement === 'machine').map(({ pcr }) => pcr));
  return [
    ...judged.flatMap((event) => findingOf(event, log, bank, exit)),
    ...[...machine].map((pcr) => firmwareUnknown(pcr, bank)),
  ];
}

/** PFP 1.06, section 10.4.4 (EV_EFI_ACTION Event Types): measured into PCR 5 when the firmware has handed over for good. */
const EXIT_ACTION = ascii('Exit Boot Services Returned with Success');

/** Where in the log the firmware ends; past its end where it does not say. */
function exitIndex(log: TcgLog, bank: Bank): number {
  const expected = tpmDigest(bank, EXIT_ACTION);
  const found = log.events.find((event) => {
    const digest = event.pcr === 5 && event.type !== 'EV_NO_ACTION' ? digestOf(event, bank) : undefined;
    return digest !== undefined && bytesEqual(digest, expected);
  });
  return found?.index ?? log.events.length;
}

function findingOf(judged: JudgedEvent, log: TcgLog, bank: Bank, exit: number): AppraisalFinding[] {
  const { pcr, event, judgement, predicted } = judged;
  if (judgement === 'missing' && predicted !== undefined) return [eventMissing(predicted, bank)];
  if (judgement !== 'unexpected' || event === undefined) return [];
  const real = log.events[event] as BootEvent;
  const digest = digestOf(real, bank);
  const name = `Event ${event} (${String(real.type)}, as the log says)`;
  return [
    {
      code: event > exit ? 'event_after_exit' : 'event_unexpected',
      severity: 'error',
      where: { artefact: 'event log', pcr, bank, event, offset: real.offset },
      ...(digest === undefined ? {} : { actual: toHex(digest) }),
      hint:
        event > exit
          ? `${name} put something into PCR ${pcr} after the firmware had handed over; the running system did that`
          : `${name} put something into PCR ${pcr} that this image does not put there`,
    },
  ];
}

function eventMissing({ pcr, digests, description, origin }: PredictedEvent, bank: Bank): AppraisalFinding {
  const digest = digests.get(bank);
  const path = origin.section === undefined ? {} : { path: origin.section };
  return {
    code: 'event_missing',
    severity: 'error',
    where: { artefact: origin.artefact, pcr, bank, ...path },
    expected: digest === undefined ? `no ${bank} digest was predicted` : toHex(digest),
    hint: `The image puts ${description} into PCR ${pcr}; this boot did not. Another image was booted, or a part of it replaced`,
  };
}

function firmwareUnknown(pcr: number, bank: Bank): AppraisalFinding {
  return {
    code: 'firmware_unknown',
    severity: 'warning',
    where: { artefact: 'event log', pcr, bank },
    hint: `PCR ${pcr} is the firmware's and the machine's, and there is no baseline of it; approve one for this model`,
  };
}
