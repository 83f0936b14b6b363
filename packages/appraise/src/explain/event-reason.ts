// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type BootEvent, decodeEventData, digestOf, trustOf } from '@vouchsafe/eventlog';
import {
  type Bank,
  conditionText,
  type Manifest,
  type ManifestBoot,
  type PredictedEvent,
  predictedEventsOf,
} from '@vouchsafe/manifest';
import type { JudgedBoot, JudgedPlace } from './judge-boot.ts';

export type EventReasonCode =
  | 'other_image' // it is another image's
  | 'other_condition' // it is this image's, booted in another way
  | 'inner_kernel' // Secure Boot is off, so that firmware measured the kernel inside the UKI
  | 'secure_boot_state' // Secure Boot is on where it should be off, or off
  | 'repeated' // it is expected, and measured once too often
  | 'boot_retried' // firmware tried another boot entry before
  | 'program_started' // a program that the image does not have
  | 'addon_loaded' // an addon lies beside the UKI or in /loader/addons
  | 'addon_content' // what an addon brings along
  | 'command_line_replaced' // by a boot entry, or at the menu
  | 'command_line_passed' // the image's own, passed on by a boot loader
  | 'initrd_changed' // the kernel got another initrd
  | 'section_changed' // a part of the UKI is another
  | 'credentials_added' // files in .extra.d or /loader/credentials
  | 'extensions_added' // system or configuration extensions
  | 'profile_chosen' // another profile of the UKI
  | 'variable_changed' // keys or revocations of the firmware
  | 'authority_changed' // another key lets something start
  | 'partition_table_changed'
  | 'loader_configuration_changed'
  | 'phase_reached' // a boot phase that the image is not known to reach
  | 'after_exit' // the running system did it
  | 'follows' // it is missing because something else is there in its place
  | 'unexplained';

/** The nearest explanation. As far as the log says it: see `trustOf`. */
export interface EventReason {
  readonly code: EventReasonCode;
  /** For people. May hold text of the log, which is anybody's. */
  readonly text: string;
  /** Of 'other_image': name and version of that image. */
  readonly image?: string;
}

/** What every rule may look at. */
interface Scene {
  readonly judged: JudgedBoot;
  readonly bank: Bank;
  readonly isSecureBootOn: boolean | undefined;
  /** Place of the end of boot services; past the end where the log does not say. */
  readonly exit: number;
  readonly known: ReadonlyMap<string, KnownEvent>;
}

interface KnownEvent {
  readonly manifest: Manifest;
  readonly boot: ManifestBoot;
  readonly predicted: PredictedEvent;
}

/**
 * Explanations for what is unexpected or missing, by place among the judged ones.
 * @param events that were extended, in their order. @param manifests all that are known, so that another image is known by
 * its parts.
 */
export function reasonsOf(
  events: readonly BootEvent[],
  judged: JudgedBoot,
  manifests: readonly Manifest[],
  bank: Bank,
): Map<number, EventReason> {
  // Most boots are as predicted, and to read what their events say would cost more than all the rest.
  if (!judged.places.some(({ judgement }) => judgement === 'unexpected' || judgement === 'missing')) return new Map();
  const exit = events.findIndex((event) => textOf(event) === 'Exit Boot Services Returned with Success');
  const scene: Scene = {
    judged,
    bank,
    isSecureBootOn: secureBootOf(events),
    exit: exit < 0 ? events.length : exit,
    known: knownEvents(manifests, judged, bank),
  };
  const places = new Map(events.map((event, place) => [event, place]));
  const partners = partnersOf(judged.places);
  const reasons = new Map<number, EventReason>();
  for (const [i, { event, judgement }] of judged.places.entries()) {
    if (judgement === 'unexpected' && event !== undefined) {
      reasons.set(i, reasonOf(event, judged.places[partners.get(i) ?? -1]?.predicted, places.get(event) ?? 0, scene));
    }
  }
  for (const [i, place] of judged.places.entries()) {
    if (place.judgement !== 'missing') continue;
    const partner = partners.get(i);
    reasons.set(i, reasonForMissing(partner === undefined ? undefined : reasons.get(partner)));
  }
  return reasons;
}

/** Every event of every manifest, by PCR and digest; another image's before another condition of this one. */
function knownEvents(manifests: readonly Manifest[], judged: JudgedBoot, bank: Bank): Map<string, KnownEvent> {
  const known = new Map<string, KnownEvent>();
  for (const manifest of [judged.manifest, ...manifests.filter((other) => other !== judged.manifest)]) {
    for (const boot of manifest.boots) {
      if (boot === judged.boot) continue;
      for (const predicted of predictedEventsOf(manifest, boot)) {
        const key = keyOf(predicted.pcr, predicted.digests.get(bank));
        if (key !== undefined && !known.has(key)) known.set(key, { manifest, boot, predicted });
      }
    }
  }
  return known;
}

const keyOf = (pcr: number, digest: Uint8Array | undefined): string | undefined =>
  digest === undefined ? undefined : `${pcr} ${toHex(digest)}`;

function textOf(event: BootEvent): string | undefined {
  const data = decodeEventData(event);
  return data.kind === 'text' ? data.text.text : undefined;
}

function secureBootOf(events: readonly BootEvent[]): boolean | undefined {
  for (const event of events) {
    const data = event.pcr === 7 ? decodeEventData(event) : undefined;
    if (data?.kind !== 'variable' || data.variable.unicodeName !== 'SecureBoot') continue;
    return data.variable.variableData[0] === 1;
  }
  return undefined;
}

function reasonOf(event: BootEvent, missing: PredictedEvent | undefined, at: number, scene: Scene): EventReason {
  const inner = innerKernel(event, scene);
  if (inner !== undefined) return inner;
  const key = keyOf(event.pcr, digestOf(event, scene.bank));
  const own = predictedEventsOf(scene.judged.manifest, scene.judged.boot).find(
    ({ pcr, digests }) => key !== undefined && keyOf(pcr, digests.get(scene.bank)) === key,
  );
  if (own !== undefined) return { code: 'repeated', text: `${own.description}, once more or out of its order` };
  const known = key === undefined ? undefined : scene.known.get(key);
  if (known !== undefined) return knownReason(known, scene);
  if (at > scene.exit && event.pcr !== 5) return runningSystem(event, scene);
  const byData = dataReason(event, missing, scene);
  return byData ?? { code: 'unexplained', text: 'nothing that is known puts this there' };
}

/** A kernel whose digest is known to be another condition's, or a last program without a file. */
function innerKernel(event: BootEvent, { isSecureBootOn, judged, known, bank }: Scene): EventReason | undefined {
  if (event.pcr !== 4 || isSecureBootOn !== false || judged.boot.condition.secureBoot === 'off') return undefined;
  const key = keyOf(4, digestOf(event, bank)) ?? '';
  const isKnown = known.get(key)?.predicted.origin.section === '.linux';
  const data = decodeEventData(event);
  const last = judged.places.findLast(({ pcr, event: other }) => pcr === 4 && other !== undefined)?.event;
  const isLikely = data.kind === 'imageLoad' && data.file === undefined && event === last;
  if (!isKnown && !isLikely) return undefined;
  return { code: 'inner_kernel', text: 'Secure Boot is off, so firmware measured the kernel inside the UKI' };
}

function knownReason({ manifest, boot, predicted }: KnownEvent, { judged }: Scene): EventReason {
  const { description, origin } = predicted;
  if (manifest === judged.manifest) {
    const text = `this is ${description}, as it is with ${conditionText(boot.condition)}`;
    return { code: 'other_condition', text };
  }
  const where = origin.section === undefined ? origin.artefact : `${origin.artefact}, ${origin.section}`;
  const text = `this is ${description} of ${manifest.name} ${manifest.version} (${where})`;
  return { code: 'other_image', text, image: `${manifest.name} ${manifest.version}` };
}

function runningSystem(event: BootEvent, scene: Scene): EventReason {
  const { content } = event;
  if (event.source === 'userspace' && content?.eventType === 'phase') {
    return {
      code: 'phase_reached',
      text: `boot phase '${content.string ?? ''}', which this image is not known to go through here`,
    };
  }
  const said = saidOf(event, scene.bank);
  const text = `measured after the firmware had handed over, so the running system did it${said === undefined ? '' : `: '${said}'`}`;
  return { code: 'after_exit', text };
}

/** Text of an event, marked where the digest does not cover it. */
function saidOf(event: BootEvent, bank: Bank): string | undefined {
  const text = textOf(event) ?? event.content?.string;
  if (text === undefined) return undefined;
  return trustOf(event, bank) === 'measured' ? text : `${text} (as the log says)`;
}

function dataReason(event: BootEvent, missing: PredictedEvent | undefined, scene: Scene): EventReason | undefined {
  const data = decodeEventData(event);
  switch (data.kind) {
    case 'imageLoad':
      return programReason(data.file ?? data.path, missing);
    case 'gpt':
      return { code: 'partition_table_changed', text: 'the partition table of the disk is another than the image has' };
    case 'variable':
      return variableReason(event, data.variable.unicodeName, scene);
    case 'tagged':
      return taggedReason(data.meaning?.what, scene);
    case 'text':
      return textReason(event, data.text.text, data.meaning?.what, data.meaning?.argument, scene);
    default:
      return undefined;
  }
}

function programReason(file: string | undefined, missing: PredictedEvent | undefined): EventReason {
  const name = file ?? 'one without a file name';
  if (/\.addon\.efi$/i.test(name)) return { code: 'addon_loaded', text: `an addon was loaded: ${name}` };
  if (missing !== undefined) {
    return { code: 'program_started', text: `another program was started in place of ${missing.description}: ${name}` };
  }
  return { code: 'program_started', text: `a program was started that the image does not have: ${name}` };
}

function variableReason(event: BootEvent, name: string, { isSecureBootOn, judged }: Scene): EventReason {
  if (name === 'SecureBoot') {
    const [is, should] = [isSecureBootOn === true ? 'on' : 'off', judged.boot.condition.secureBoot];
    return { code: 'secure_boot_state', text: `Secure Boot is ${is}; it was predicted with Secure Boot ${should}` };
  }
  if (event.type === 'EV_EFI_VARIABLE_AUTHORITY') {
    const text = `another entry of ${name} let a program start; it is signed by another key, or the keys of the machine are others`;
    return { code: 'authority_changed', text };
  }
  const text = `the variable ${name} is another; was it updated, or are other keys enrolled?`;
  return { code: 'variable_changed', text };
}

function taggedReason(what: string | undefined, { judged }: Scene): EventReason | undefined {
  switch (what) {
    case 'kernel command line':
      return { code: 'command_line_replaced', text: "the kernel got another command line than the image's" };
    case 'initrd':
      return { code: 'initrd_changed', text: initrdText(judged) };
    case 'loader.conf':
      return { code: 'loader_configuration_changed', text: 'loader.conf is another than the image has' };
    case 'profile':
      return { code: 'profile_chosen', text: 'another profile of the UKI was started' };
    case 'devicetree addon':
    case 'initrd addon':
    case 'microcode addon':
      return { code: 'addon_content', text: `an addon was loaded that brings along a ${what.replace(' addon', '')}` };
    default:
      return undefined;
  }
}

/** The initrd is what the stub puts together: the cause is in other PCRs, if it is not the UKI's own. */
function initrdText({ places }: JudgedBoot): string {
  const has = (pcr: number): boolean => places.some((place) => place.pcr === pcr && place.judgement === 'unexpected');
  if (has(11)) return 'the kernel got another initrd, as the UKI is another (PCR 11)';
  if (has(12) || has(13)) {
    return 'the kernel got another initrd: credentials, extensions or addons were added to it (PCR 12, 13)';
  }
  return 'the kernel got another initrd than the image puts together';
}

/** The stub and the kernel measure a command line alike, so that the one of PCR 9 is known in PCR 12. */
function isOwnCommandLine(event: BootEvent, { judged, bank }: Scene): boolean {
  const digest = digestOf(event, bank);
  return predictedEventsOf(judged.manifest, judged.boot).some(({ pcr, digests }) => {
    const own = digests.get(bank);
    return pcr === 9 && own !== undefined && digest !== undefined && bytesEqual(own, digest);
  });
}

function textReason(
  event: BootEvent,
  text: string,
  what: string | undefined,
  argument: string | undefined,
  scene: Scene,
): EventReason | undefined {
  const said = saidOf(event, scene.bank) ?? text;
  switch (what) {
    case 'credentials':
      return {
        code: 'credentials_added',
        text: 'credentials were dropped in beside the UKI or in /loader/credentials',
      };
    case 'system extensions':
    case 'configuration extensions':
      return { code: 'extensions_added', text: `other ${what} lie beside the UKI than the image has` };
    case 'load options':
    case 'kernel command line':
      if (isOwnCommandLine(event, scene)) {
        return { code: 'command_line_passed', text: "the image's own command line, passed on by a boot loader" };
      }
      return {
        code: 'command_line_replaced',
        text: `the command line was replaced, or added to, by a boot entry, at the menu or by an addon: '${said}'`,
      };
    case 'section':
      return { code: 'section_changed', text: `another ${argument ?? 'section'} than the image's` };
    default:
      break;
  }
  if (event.type === 'EV_EFI_ACTION' && event.pcr === 4) {
    return { code: 'boot_retried', text: `firmware tried another boot entry before: '${said}'` };
  }
  if (what === undefined) return undefined;
  return { code: 'unexplained', text: `${what}: '${said}'` };
}

function reasonForMissing(instead: EventReason | undefined): EventReason {
  if (instead === undefined) return { code: 'unexplained', text: 'that part was not used in this boot' };
  const { text, image } = instead;
  return { code: 'follows', text: `in its place: ${text}`, ...(image === undefined ? {} : { image }) };
}

/**
 * What stands in place of what: in each stretch of a PCR where nothing is as expected, the first unexpected event for the
 * first missing one, and so on; what is left over has no partner, or the last of the others.
 */
function partnersOf(places: readonly JudgedPlace[]): Map<number, number> {
  const partners = new Map<number, number>();
  let stretch: { readonly unexpected: number[]; readonly missing: number[] } = { unexpected: [], missing: [] };
  const settle = (): void => {
    const { unexpected, missing } = stretch;
    for (const [k, place] of missing.entries()) {
      const other = unexpected[k] ?? unexpected.at(-1);
      if (other === undefined) continue;
      partners.set(place, other);
      if (k < unexpected.length) partners.set(other, place);
    }
    stretch = { unexpected: [], missing: [] };
  };
  for (const [i, { pcr, judgement }] of places.entries()) {
    if (judgement === 'expected' || judgement === 'machine' || pcr !== places[i - 1]?.pcr) settle();
    if (judgement === 'unexpected' || judgement === 'missing') stretch[judgement].push(i);
  }
  settle();
  return partners;
}
