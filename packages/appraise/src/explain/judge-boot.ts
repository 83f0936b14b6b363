// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex, utf8 } from '@vouchsafe/base';
import { type BootEvent, digestOf } from '@vouchsafe/eventlog';
import {
  type Bank,
  type Manifest,
  type ManifestBoot,
  type PredictedEvent,
  predictedEventsOf,
} from '@vouchsafe/manifest';
import { PCR_COUNT, tpmDigest } from '@vouchsafe/tpm';
import { pairUp } from '../pair-up.ts';

/** One event, and what became of it. */
export interface JudgedPlace {
  readonly pcr: number;
  /** Place among the events that were given; undefined for one that is missing. */
  readonly event: BootEvent | undefined;
  /** 'machine': the image does not decide it; firmware, its settings, or the running system do. */
  readonly judgement: 'expected' | 'machine' | 'unexpected' | 'missing';
  readonly predicted: PredictedEvent | undefined;
}

/** A log beside one way to boot one image. */
export interface JudgedBoot {
  readonly manifest: Manifest;
  readonly boot: ManifestBoot;
  /** By PCR, each in the order of the log. */
  readonly places: readonly JudgedPlace[];
  /** How many are unexpected or missing. */
  readonly misfits: number;
}

/** PCRs of the firmware, up to their separator: PFP 1.06, section 3.3.4. */
const FIRMWARE_PCRS: ReadonlySet<number> = new Set([0, 1, 2, 3, 6]);
/** The kernel's IMA list, the system's identity, and what a running system may reset: nothing that an image decides. */
const SYSTEM_PCRS: ReadonlySet<number> = new Set([10, 15, 16, 17, 18, 19, 20, 21, 22, 23]);

/** @param events that were extended, in their order. */
export function judgeBoot(
  events: readonly BootEvent[],
  manifest: Manifest,
  boot: ManifestBoot,
  bank: Bank,
): JudgedBoot {
  const predicted = byPcr(predictedEventsOf(manifest, boot));
  const real = byPcr(events);
  const places: JudgedPlace[] = [];
  for (let pcr = 0; pcr < PCR_COUNT; pcr++) {
    const [seen, expected] = [real.get(pcr) ?? [], predicted.get(pcr) ?? []];
    if (!boot.covers.includes(pcr)) places.push(...judgeOthers(pcr, seen, expected, bank));
    else
      places.push(
        ...judgeCovered(seen, [...expected, ...(pcr === 11 ? phaseEvents(boot, bank) : [])], expected.length, bank),
      );
  }
  // A PCR that no TPM has cannot have been extended.
  for (const [pcr, seen] of real)
    if (pcr >= PCR_COUNT) places.push(...seen.map((event) => placeOf(event, 'unexpected')));
  const misfits = places.filter(({ judgement }) => judgement === 'unexpected' || judgement === 'missing').length;
  return { manifest, boot, places, misfits };
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

const placeOf = (event: BootEvent, judgement: JudgedPlace['judgement'], predicted?: PredictedEvent): JudgedPlace => ({
  pcr: event.pcr,
  event,
  judgement,
  predicted,
});

/**
 * Every event of the PCR is known. Phases that have not been reached yet are not missing: a log is read at some moment, and
 * the firmware's has none.
 */
function judgeCovered(
  real: readonly BootEvent[],
  predicted: readonly PredictedEvent[],
  needed: number,
  bank: Bank,
): JudgedPlace[] {
  const pairs = pairUp(
    real.map((event) => keyOf(digestOf(event, bank))),
    predicted.map(({ digests }) => keyOf(digests.get(bank))),
  );
  const last = pairs.findLast(({ left, right }) => left !== undefined && right !== undefined)?.right ?? -1;
  return pairs.flatMap(({ left, right }): JudgedPlace[] => {
    const event = left === undefined ? undefined : real[left];
    const prediction = right === undefined ? undefined : predicted[right];
    if (event !== undefined) {
      return [placeOf(event, prediction === undefined ? 'unexpected' : 'expected', prediction)];
    }
    if (prediction === undefined || (right !== undefined && right >= needed && right > last)) return [];
    return [{ pcr: prediction.pcr, event: undefined, judgement: 'missing', predicted: prediction }];
  });
}

const keyOf = (digest: Uint8Array | undefined): string | undefined => digest && toHex(digest);

/** Words of the longest path, as systemd-pcrphase measures them: without a NUL. */
function phaseEvents({ phases }: ManifestBoot, bank: Bank): PredictedEvent[] {
  const longest = phases.reduce((found, { phase }) => (phase.length > found.length ? phase : found), '');
  return longest
    .split(':')
    .filter((word) => word !== '')
    .map((word) => ({
      pcr: 11,
      description: `boot phase '${word}'`,
      origin: { artefact: 'systemd-pcrphase' },
      digests: new Map([[bank, tpmDigest(bank, utf8(word))]]),
    }));
}

/**
 * Not every event of the PCR is known: what was predicted is looked for, the rest is the machine's; of the firmware's PCRs up
 * to their separator, and after it what a stub of systemd 261 and later adds of SMBIOS.
 */
function judgeOthers(
  pcr: number,
  real: readonly BootEvent[],
  predicted: readonly PredictedEvent[],
  bank: Bank,
): JudgedPlace[] {
  const left = [...predicted];
  const separators = [0x00, 0xff].map((octet) => tpmDigest(bank, new Uint8Array(4).fill(octet)));
  let isAfter = false;
  const places = real.map((event): JudgedPlace => {
    const digest = digestOf(event, bank);
    const wasAfter = isAfter;
    isAfter ||= digest !== undefined && separators.some((separator) => bytesEqual(separator, digest));
    const found = left.findIndex(({ digests }) => keyOf(digests.get(bank)) === keyOf(digest));
    if (digest !== undefined && found >= 0) return placeOf(event, 'expected', left.splice(found, 1)[0]);
    const isFirmware = FIRMWARE_PCRS.has(pcr) && (!wasAfter || (pcr === 1 && event.type === 'EV_EVENT_TAG'));
    const isOpen = isFirmware || SYSTEM_PCRS.has(pcr) || isUncovered(pcr);
    return placeOf(event, isOpen ? 'machine' : 'unexpected');
  });
  return [
    ...places,
    ...left.map((prediction): JudgedPlace => ({ pcr, event: undefined, judgement: 'missing', predicted: prediction })),
  ];
}

/** PCRs that an image decides, and that this manifest says nothing of: keys or the disk were not given. */
function isUncovered(pcr: number): boolean {
  return [4, 5, 7, 9, 11, 12, 13, 14].includes(pcr);
}
