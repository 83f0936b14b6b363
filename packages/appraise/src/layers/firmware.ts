// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type BootEvent, decodeEventData, digestOf, summaryOf, trustOf } from '@vouchsafe/eventlog';
import { type Manifest, type ManifestBoot, predictedEventsOf } from '@vouchsafe/manifest';
import { type TpmBank, tpmDigest } from '@vouchsafe/tpm';
import type { Facts, IdentityFacts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import { type Pair, pairUp } from '../pair-up.ts';
import { type BaselineEvent, FIRMWARE_PCRS, type FirmwareBaseline } from '../references/baseline.ts';
import type { PreparedBaseline, PreparedReferences, UsedReference } from '../references/reference-set.ts';
import type { AppraisedEvent } from '../verdict.ts';
import type { ReplayedBoot } from './replay-boot.ts';

export interface FirmwareOutcome {
  readonly facts: Facts['firmware'];
  readonly findings: readonly AppraisalFinding[];
  readonly events: readonly AppraisedEvent[];
  readonly used: readonly UsedReference[];
}

/** An event that should be there: of the firmware, or of the image in a PCR of the firmware. */
interface Expected {
  readonly pcr: number;
  readonly description: string;
  /** In the bank; any of them will do. */
  readonly digests: readonly string[];
  readonly isVariable: boolean;
}

interface Comparison {
  readonly baseline: PreparedBaseline | undefined;
  readonly places: readonly { readonly event: BootEvent | undefined; readonly expected: Expected | undefined }[];
  readonly misfits: number;
}

/**
 * Whether the firmware is one that is known: event by event, as its settings alone make a value of PCR 1 nobody else's.
 * Without a baseline what stands in front of the separators is nobody's fault and nobody's merit; behind them only the image
 * puts something into these PCRs.
 * @param match the image's way to boot, if one was recognised: stubs of systemd 261 and later measure SMBIOS into PCR 1.
 */
export function appraiseFirmware(
  boot: ReplayedBoot,
  references: PreparedReferences,
  identity: IdentityFacts,
  match: { readonly manifest: Manifest; readonly boot: ManifestBoot } | undefined,
): FirmwareOutcome {
  const version = firmwareVersionOf(boot);
  const events = boot.events.filter(({ pcr }) => FIRMWARE_PCRS.includes(pcr));
  const ofImage = (match === undefined ? [] : predictedEventsOf(match.manifest, match.boot))
    .filter(({ pcr }) => FIRMWARE_PCRS.includes(pcr))
    .map(({ pcr, description, digests }): Expected => {
      const digest = digests.get(boot.bank);
      return { pcr, description, digests: digest === undefined ? [] : [toHex(digest)], isVariable: false };
    });
  const [best] = references.baselines
    .filter(({ baseline }) => isOfModel(baseline, identity))
    .map((baseline) => compare(boot, events, baseline, ofImage))
    .toSorted((a, b) => a.misfits - b.misfits);
  // A baseline that has next to nothing in common is another machine's, and explains nothing.
  const isNear = best !== undefined && (best.misfits === 0 || best.baseline?.baseline.firmwareVersion === version);
  if (!isNear) return withoutBaseline(boot, compare(boot, events, undefined, ofImage), version);
  const used = best.baseline === undefined ? [] : [{ name: best.baseline.name, sha256: best.baseline.sha256 }];
  return {
    facts: { isKnown: best.misfits === 0, baseline: best.baseline?.name ?? '', version },
    findings: changedFindings(boot, best),
    events: judgedEvents(best, () => 'unexpected'),
    used,
  };
}

/** EV_S_CRTM_VERSION, as far as its digest covers it. Profile 1.06, section 10.4.1. */
export function firmwareVersionOf({
  events,
  bank,
}: {
  readonly events: readonly BootEvent[];
  readonly bank: TpmBank;
}): string {
  const event = events.find(({ pcr, type }) => pcr === 0 && type === 'EV_S_CRTM_VERSION');
  if (event === undefined) return '';
  const data = decodeEventData(event);
  return data.kind === 'text' && trustOf(event, bank, data) === 'measured' ? data.text.text.slice(0, 128) : '';
}

function isOfModel({ vendor, model }: FirmwareBaseline, identity: IdentityFacts): boolean {
  const fits = (wanted: string | undefined, is: string): boolean => wanted === undefined || is === '' || wanted === is;
  return fits(vendor, identity.platformManufacturer) && fits(model, identity.platformModel);
}

function compare(
  { bank }: ReplayedBoot,
  events: readonly BootEvent[],
  baseline: PreparedBaseline | undefined,
  ofImage: readonly Expected[],
): Comparison {
  const ofFirmware = (baseline?.baseline.events ?? []).map((event) => expectedOf(event, bank));
  const places = FIRMWARE_PCRS.flatMap((pcr) => {
    const real = events.filter((event) => event.pcr === pcr);
    const expected = [...ofFirmware, ...ofImage].filter((event) => event.pcr === pcr);
    const keys = keysByDigest(expected);
    const pairs = pairUp(
      real.map((event) => keyIn(event, keys, bank)),
      expected.map(keyOf),
    );
    return fillVariable(pairs, expected).map(({ left, right }) => ({
      event: left === undefined ? undefined : real[left],
      expected: right === undefined ? undefined : expected[right],
    }));
  });
  const misfits = places.filter(({ event, expected }) => event === undefined || expected === undefined).length;
  return { baseline, places, misfits };
}

function expectedOf({ pcr, description, digests, isVariable = false }: BaselineEvent, bank: string): Expected {
  return { pcr, description, digests: digests[bank] ?? [], isVariable };
}

/** Equal where one of the digests is: each set of digests has one key. */
const keyOf = ({ digests }: Expected): string | undefined => (digests.length === 0 ? undefined : digests.join());

function keysByDigest(expected: readonly Expected[]): ReadonlyMap<string, string> {
  return new Map(expected.flatMap((one) => one.digests.map((hex) => [hex, keyOf(one) ?? hex] as const)));
}

function keyIn(event: BootEvent, keys: ReadonlyMap<string, string>, bank: ReplayedBoot['bank']): string | undefined {
  const digest = digestOf(event, bank);
  if (digest === undefined) return undefined;
  const hex = toHex(digest);
  return keys.get(hex) ?? hex;
}

/** An event without a partner takes the variable one that should stand at its place. */
function fillVariable(pairs: readonly Pair[], expected: readonly Expected[]): Pair[] {
  const filled: Pair[] = [];
  let lone: { readonly events: number[]; readonly wanted: number[] } = { events: [], wanted: [] };
  const settle = (): void => {
    const variable = lone.wanted.filter((right) => expected[right]?.isVariable);
    const taken = lone.events.splice(0, variable.length);
    for (const [i, left] of taken.entries()) filled.push({ left, right: variable[i] });
    for (const left of lone.events) filled.push({ left, right: undefined });
    const rest = lone.wanted.filter((right) => !variable.slice(0, taken.length).includes(right));
    for (const right of rest) filled.push({ left: undefined, right });
    lone = { events: [], wanted: [] };
  };
  for (const pair of pairs) {
    if (pair.left !== undefined && pair.right !== undefined) {
      settle();
      filled.push(pair);
    } else if (pair.left !== undefined) lone.events.push(pair.left);
    else if (pair.right !== undefined) lone.wanted.push(pair.right);
  }
  settle();
  return filled;
}

/**
 * Up to the separator a PCR is the firmware's. What follows may be anybody's, as a running system can extend these PCRs and
 * append to the log what fits; only the order within a PCR is measured, so that the separator is known by its digest.
 */
function withoutBaseline(boot: ReplayedBoot, { places }: Comparison, version: string): FirmwareOutcome {
  const boundaries = [0x00, 0xff].map((octet) => tpmDigest(boot.bank, new Uint8Array(4).fill(octet)));
  const isBoundary = (event: BootEvent): boolean => {
    const digest = digestOf(event, boot.bank);
    return digest !== undefined && boundaries.some((boundary) => bytesEqual(boundary, digest));
  };
  const late = new Set<BootEvent>();
  for (const pcr of FIRMWARE_PCRS) {
    const events = boot.events.filter((event) => event.pcr === pcr);
    const last = events.findIndex(isBoundary);
    for (const event of last < 0 ? [] : events.slice(last + 1)) late.add(event);
  }
  const exit = exitIndex(boot.log.events);
  const findings = places.flatMap(({ event, expected }): AppraisalFinding[] => {
    if (event !== undefined && expected === undefined && late.has(event)) return [unexpectedEvent(boot, event, exit)];
    return event === undefined && expected !== undefined ? [missingEvent(expected, 'image')] : [];
  });
  return {
    facts: { isKnown: false, baseline: '', version },
    findings: [...findings, ...FIRMWARE_PCRS.map((pcr) => firmwareUnknown(pcr, boot.bank, version))],
    events: judgedEvents({ baseline: undefined, places, misfits: 0 }, (event) =>
      late.has(event) ? 'unexpected' : 'machine',
    ),
    used: [],
  };
}

function judgedEvents(
  { places }: Comparison,
  judgementOf: (event: BootEvent) => AppraisedEvent['judgement'],
): AppraisedEvent[] {
  return places.map(({ event, expected }) => ({
    pcr: event?.pcr ?? expected?.pcr ?? 0,
    ...(event === undefined
      ? {}
      : { log: event.source === 'userspace' ? 'userspace' : 'firmware', event: event.index }),
    judgement:
      expected === undefined && event !== undefined ? judgementOf(event) : event === undefined ? 'missing' : 'expected',
    ...(expected === undefined ? {} : { description: expected.description }),
  }));
}

function changedFindings(boot: ReplayedBoot, { places, baseline }: Comparison): AppraisalFinding[] {
  const exit = exitIndex(boot.log.events);
  return places.flatMap(({ event, expected }): AppraisalFinding[] => {
    if (event !== undefined && expected === undefined) return [unexpectedEvent(boot, event, exit, baseline)];
    return event === undefined && expected !== undefined ? [missingEvent(expected, baseline?.name ?? 'image')] : [];
  });
}

function unexpectedEvent(
  { bank }: ReplayedBoot,
  event: BootEvent,
  exit: number,
  baseline?: PreparedBaseline,
): AppraisalFinding {
  const digest = digestOf(event, bank);
  const isLate = event.source === 'userspace' || (baseline === undefined && event.index >= exit);
  const who =
    baseline === undefined
      ? 'behind the firmware’s separator; the running system or a boot loader did that'
      : `that the baseline ${baseline.name} does not have; if firmware, its settings or a device were changed on purpose, approve a new one`;
  return {
    code: baseline === undefined ? (isLate ? 'event_after_exit' : 'event_unexpected') : 'firmware_changed',
    severity: 'error',
    where: { artefact: 'event log', pcr: event.pcr, bank, event: event.index, offset: event.offset },
    ...(digest === undefined ? {} : { actual: toHex(digest) }),
    hint: `Event ${event.index} (${String(event.type)}: ${summaryOf(event, decodeEventData(event)).slice(0, 200)}, as the log says) put something into PCR ${event.pcr}, ${who}`,
  };
}

/** Where the log says that the firmware has handed over; past its end where it does not. */
function exitIndex(events: readonly BootEvent[]): number {
  const found = events.find((event) => {
    const data = event.pcr === 5 ? decodeEventData(event) : undefined;
    return data?.kind === 'text' && data.text.text === 'Exit Boot Services Returned with Success';
  });
  return found?.index ?? Number.POSITIVE_INFINITY;
}

function missingEvent({ pcr, description, digests }: Expected, artefact: string): AppraisalFinding {
  const [digest] = digests;
  return {
    code: artefact === 'image' ? 'event_missing' : 'firmware_changed',
    severity: 'error',
    where: { artefact, pcr },
    ...(digest === undefined ? {} : { expected: digest }),
    hint: `${description} was not measured into PCR ${pcr} in this boot`,
  };
}

function firmwareUnknown(pcr: number, bank: string, version: string): AppraisalFinding {
  const which = version === '' ? '' : `, firmware version ${version}`;
  return {
    code: 'firmware_unknown',
    severity: 'warning',
    where: { artefact: 'event log', pcr, bank },
    hint: `PCR ${pcr} is the firmware's and the machine's, and there is no baseline of it${which}; approve one for this model`,
  };
}
