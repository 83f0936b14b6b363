// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digestOf } from '@vouchsafe/eventlog';
import type { ManifestBoot } from '@vouchsafe/manifest';
import type { BootedImage } from '../boot-state.ts';
import { type EventReason, reasonsOf } from '../explain/event-reason.ts';
import { type JudgedBoot, type JudgedPlace, judgeBoot } from '../explain/judge-boot.ts';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import { compareVersions } from '../references/compare-versions.ts';
import { lifeAt, lifeText } from '../references/life.ts';
import type { PreparedImage, PreparedReferences, UsedReference } from '../references/reference-set.ts';
import type { AppraisedEvent } from '../verdict.ts';
import type { ReplayedBoot } from './replay-boot.ts';

/** PCRs that an image decides: boot loader, UKI, disk, keys, command line, extensions, shim. */
const IMAGE_PCRS = [4, 5, 7, 8, 9, 11, 12, 13, 14];
const PHASE_PCR = 11;
/** Misfits that are explained one by one. */
const MAX_EXPLAINED = 256;

export interface ImageOutcome {
  readonly facts: Facts['image'];
  readonly findings: readonly AppraisalFinding[];
  /** Of the PCRs that the manifest covers. */
  readonly events: readonly AppraisedEvent[];
  readonly used: readonly UsedReference[];
  /** The reference and the way it was booted: the one that fits, or the nearest one. */
  readonly match: { readonly reference: PreparedImage; readonly boot: ManifestBoot } | undefined;
  /** When it fits. */
  readonly image?: BootedImage;
}

interface Candidate {
  readonly reference: PreparedImage;
  readonly judged: JudgedBoot;
  readonly misfits: number;
}

/** What is against this image. What is in PCRs that no image decides, the other layers look at. */
function isMisfit({ pcr, judgement }: JudgedPlace, { covers }: ManifestBoot): boolean {
  if (judgement === 'unexpected') return covers.includes(pcr);
  return judgement === 'missing' && (covers.includes(pcr) || IMAGE_PCRS.includes(pcr));
}

/**
 * Which image this is. Every event of the PCRs that its manifest covers is one that the image causes, none missing and none
 * besides; and the image is one that may be booted at this moment.
 */
export function appraiseImage(
  boot: ReplayedBoot,
  references: PreparedReferences,
  unknown: Facts['image'],
  nowMs: number,
): ImageOutcome {
  const nothing = (finding: AppraisalFinding): ImageOutcome => ({
    facts: unknown,
    findings: [finding],
    events: [],
    used: [],
    match: undefined,
  });
  const inBank = references.images.filter(({ manifest }) => manifest.banks.includes(boot.bank));
  if (inBank.length === 0) return nothing(noReference(references.images.length, boot.bank));
  const best = bestOf(candidatesOf(boot, inBank), references, nowMs);
  if (best === undefined) return nothing(noReference(references.images.length, boot.bank));
  const { reference, judged, misfits } = best;
  const { manifest } = judged;
  const isKnown = misfits === 0 && isPhaseOf(judged.boot, boot.unloggedPhases);
  const life = lifeAt(reference.life, nowMs);
  const floor = references.floors.get(manifest.name);
  const isAboveFloor = floor === undefined || compareVersions(manifest.version, floor) >= 0;
  const uncovered = IMAGE_PCRS.filter(
    (pcr) => !judged.boot.covers.includes(pcr) && boot.events.some((event) => event.pcr === pcr),
  );
  const { phase, isLogged } = phaseOf(boot, judged);
  // Explanations cost more than the comparison; what is quite another log needs none.
  const reasons: ReadonlyMap<number, EventReason> =
    misfits > MAX_EXPLAINED
      ? new Map()
      : reasonsOf(
          boot.events,
          judged,
          references.images.map((image) => image.manifest),
          boot.bank,
        );
  const findings = [
    ...(isKnown ? [] : [imageUnknown(reference, misfits)]),
    ...misfitFindings(boot.bank, judged, reasons, (name) => lifeOf(name, references, nowMs)),
    ...(isPhaseOf(judged.boot, boot.unloggedPhases) ? [] : [phaseUnknown(boot.unloggedPhases)]),
    ...(isKnown ? lifeFindings(reference, life, isAboveFloor, floor, nowMs) : []),
    ...uncovered.map(pcrUncovered),
    ...(isKnown && phase !== '' && !isLogged ? [phaseUnlogged(phase)] : []),
  ];
  const { name, version } = manifest;
  return {
    facts: { isKnown, name, version, life, isAboveFloor, phase, isPhaseLogged: isLogged, uncovered },
    findings,
    events: appraisedEvents(judged, reasons),
    used: [{ name: reference.name, sha256: reference.sha256 }],
    match: { reference, boot: judged.boot },
    ...(isKnown ? { image: { name, version, sha256: reference.sha256 } } : {}),
  };
}

/** Those whose predicted values are the quoted ones, if there are any: their events need not be compared with others'. */
function candidatesOf({ quote, bank, events }: ReplayedBoot, images: readonly PreparedImage[]): Candidate[] {
  const quoted = new Map(
    quote.pcrs.filter((value) => value.bank === bank).map(({ pcr, value }) => [pcr, toHex(value)]),
  );
  const isLikely = ({ covers, phases }: ManifestBoot): boolean => {
    const values = phases[0]?.pcrs[bank] ?? {};
    return covers.every((pcr) => pcr === PHASE_PCR || values[String(pcr)] === quoted.get(pcr));
  };
  // A way to boot of which nothing is predicted would fit anything.
  const all = images.flatMap((reference) =>
    reference.manifest.boots
      .filter(({ events: predicted, covers }) => predicted.length > 0 && covers.length > 0)
      .map((way) => ({ reference, way })),
  );
  const likely = all.filter(({ way }) => isLikely(way));
  return (likely.length > 0 ? likely : all)
    .map(({ reference, way }) => ({
      reference,
      judged: judgeBoot(events, reference.manifest, way, bank),
    }))
    .map(({ reference, judged }) => ({
      reference,
      judged,
      misfits: judged.places.filter((place) => isMisfit(place, judged.boot)).length,
    }));
}

/** The one with the fewest events too many or too few; of equals one that may be booted, then the newest. */
function bestOf(
  candidates: readonly Candidate[],
  references: PreparedReferences,
  nowMs: number,
): Candidate | undefined {
  const isUsable = ({ reference: { life, manifest } }: Candidate): boolean => {
    const floor = references.floors.get(manifest.name);
    const state = lifeAt(life, nowMs);
    return (
      (state === 'active' || state === 'retiring') &&
      (floor === undefined || compareVersions(manifest.version, floor) >= 0)
    );
  };
  return candidates.toSorted(
    (a, b) =>
      a.misfits - b.misfits ||
      Number(isUsable(b)) - Number(isUsable(a)) ||
      b.judged.boot.covers.length - a.judged.boot.covers.length ||
      compareVersions(b.reference.manifest.version, a.reference.manifest.version),
  )[0];
}

/** Whether the image goes through these phases, which no log tells of. */
function isPhaseOf({ phases }: ManifestBoot, words: readonly string[]): boolean {
  return (
    words.length === 0 ||
    phases.some(({ phase }) => phase.split(':').slice(0, words.length).join(':') === words.join(':'))
  );
}

function phaseOf(
  { unloggedPhases }: ReplayedBoot,
  { places }: JudgedBoot,
): { readonly phase: string; readonly isLogged: boolean } {
  // The word is the prediction's: the log's own text is anybody's.
  const logged = places.flatMap(({ event, predicted }) => {
    const word = event === undefined ? undefined : /^boot phase '(.*)'$/s.exec(predicted?.description ?? '')?.[1];
    return word === undefined ? [] : [word];
  });
  return { phase: [...logged, ...unloggedPhases].join(':'), isLogged: unloggedPhases.length === 0 };
}

/** What became of another image that a part was recognised as. */
function lifeOf(name: string, { images }: PreparedReferences, nowMs: number): string {
  const found = images.find((image) => image.name === name);
  return found === undefined ? '' : `, which is ${lifeText(found.life, nowMs)}`;
}

function misfitFindings(
  bank: ReplayedBoot['bank'],
  judged: JudgedBoot,
  reasons: ReadonlyMap<number, EventReason>,
  lifeOfImage: (name: string) => string,
): AppraisalFinding[] {
  return judged.places.flatMap((place, i): AppraisalFinding[] => {
    const { pcr, event, judgement, predicted } = place;
    if (!isMisfit(place, judged.boot)) return [];
    const reason = reasons.get(i);
    const because = reason === undefined ? '' : `: ${reason.text}${reason.image ? lifeOfImage(reason.image) : ''}`;
    if (judgement === 'missing' && predicted !== undefined) {
      const digest = predicted.digests.get(bank);
      const { artefact, section } = predicted.origin;
      return [
        {
          code: 'event_missing',
          severity: 'error',
          where: { artefact, pcr, bank, ...(section === undefined ? {} : { path: section }) },
          ...(digest === undefined ? {} : { expected: toHex(digest) }),
          hint: `The image puts ${predicted.description} into PCR ${pcr}, and this boot did not${because}`,
        },
      ];
    }
    if (judgement !== 'unexpected' || event === undefined) return [];
    const digest = digestOf(event, bank);
    const isLate = reason?.code === 'after_exit' || event.source === 'userspace';
    return [
      {
        code: isLate ? 'event_after_exit' : 'event_unexpected',
        severity: 'error',
        where: {
          artefact: event.source === 'userspace' ? 'userspace log' : 'event log',
          ...{ pcr, bank, event: event.index, offset: event.offset },
        },
        ...(digest === undefined ? {} : { actual: toHex(digest) }),
        hint: `Event ${event.index} (${String(event.type)}, as the log says) put something into PCR ${pcr} that this image does not put there${because}`,
      },
    ];
  });
}

function appraisedEvents({ places, boot }: JudgedBoot, reasons: ReadonlyMap<number, EventReason>): AppraisedEvent[] {
  return places.flatMap((place, i): AppraisedEvent[] => {
    const { pcr, event, judgement, predicted } = place;
    if (!boot.covers.includes(pcr) && !isMisfit(place, boot)) return [];
    const reason = reasons.get(i);
    return [
      {
        pcr,
        ...(event === undefined
          ? {}
          : { log: event.source === 'userspace' ? 'userspace' : 'firmware', event: event.index }),
        judgement,
        ...(predicted === undefined ? {} : { description: predicted.description }),
        ...(reason === undefined ? {} : { reason: { code: reason.code, text: reason.text } }),
      },
    ];
  });
}

const where = { artefact: 'image' } as const;

function noReference(known: number, bank: string): AppraisalFinding {
  const hint =
    known === 0
      ? 'No image is known, so that no boot can be good; add a manifest and make it active'
      : `None of the ${known} manifests was predicted in the bank ${bank}; quote another bank, or predict in this one`;
  return { code: 'reference_empty', severity: 'error', where: { artefact: 'references' }, hint };
}

function imageUnknown({ name }: PreparedImage, misfits: number): AppraisalFinding {
  const count = misfits === 0 ? '' : `, from which ${misfits} ${misfits === 1 ? 'event differs' : 'events differ'}`;
  const hint = `No image that is known boots like this; the nearest is ${name}${count}`;
  return { code: 'image_unknown', severity: 'error', where, expected: name, hint };
}

function phaseUnknown(words: readonly string[]): AppraisalFinding {
  const hint = 'PCR 11 is in a boot phase that this image does not go through; the initrd or a service is another';
  const place = { artefact: 'quote', pcr: PHASE_PCR };
  return { code: 'phase_unknown', severity: 'error', where: place, actual: words.join(':'), hint };
}

function phaseUnlogged(phase: string): AppraisalFinding {
  const hint = 'systemd keeps a log of boot phases from version 255 on; this one was told from the value of PCR 11';
  const place = { artefact: 'quote', pcr: PHASE_PCR };
  return { code: 'phase_unlogged', severity: 'info', where: place, actual: phase, hint };
}

function pcrUncovered(pcr: number): AppraisalFinding {
  const hint = `The manifest does not say all of PCR ${pcr}; build it with the disk and the keys, or permit this in the policy`;
  return { code: 'pcr_uncovered', severity: 'warning', where: { artefact: 'manifest', pcr }, hint };
}

function lifeFindings(
  { name, life }: PreparedImage,
  state: ReturnType<typeof lifeAt>,
  isAboveFloor: boolean,
  floor: string | undefined,
  nowMs: number,
): AppraisalFinding[] {
  const findings: AppraisalFinding[] = [];
  const add = (code: AppraisalFinding['code'], hint: string): void =>
    void findings.push({ code, severity: 'error', where, actual: name, hint });
  const text = `This is ${name}, ${lifeText(life, nowMs)}`;
  if (state === 'candidate') add('image_candidate', `${text}; make its manifest active`);
  if (state === 'retired') add('image_retired', `${text}; update the machine`);
  if (state === 'revoked') add('image_revoked', `${text}; update the machine`);
  if (!isAboveFloor)
    add('image_below_floor', `This is ${name}; ${floor} is the oldest that is allowed; update the machine`);
  return findings;
}
