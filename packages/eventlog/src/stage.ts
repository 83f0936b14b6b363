// SPDX-License-Identifier: Apache-2.0
import { decodeEventData, type EventData } from './data/event-data.ts';
import type { LogEvent } from './event.ts';
import type { BootLog } from './log.ts';

/**
 * Who was in control when something was measured. The firmware measures the boot loader before it starts it, so that the
 * loader's own event is of stage 'firmware'; the UKI that a boot loader starts is of stage 'loader'.
 *
 * This is told from types and texts, which are not measured: it serves people who look for the cause of a difference, and
 * no decision.
 */
export type BootStage = 'firmware' | 'loader' | 'stub' | 'kernel' | 'initrd' | 'userspace' | 'launch';

/**
 * The stage of each event of a log, by its place.
 * @param contents what `decodeEventData` gave for each, to whom has it already
 */
export function stagesOf(log: BootLog, contents?: readonly EventData[]): BootStage[] {
  switch (log.kind) {
    case 'tcg':
      return firmwareStages(log.events, contents);
    case 'userspace':
      return userspaceStages(log.events, 'initrd');
    case 'ima':
      return log.events.map(({ index }) => (index === 0 ? 'kernel' : 'userspace'));
    case 'drtm':
      return log.events.map(() => 'launch');
    case 'cel':
      return mixedStages(log.events);
  }
}

/** Records of a canonical log are told apart by who wrote them. */
function mixedStages(events: readonly LogEvent[]): BootStage[] {
  const firmware = firmwareStages(events.filter(({ source }) => source === 'tcg'));
  const userspace = userspaceStages(
    events.filter(({ source }) => source === 'userspace'),
    'initrd',
  );
  let [tcg, user, isFirstEntry] = [0, 0, true];
  let last: BootStage = 'firmware';
  return events.map(({ source }) => {
    if (source === 'tcg') last = firmware[tcg++] ?? last;
    else if (source === 'userspace') last = userspace[user++] ?? last;
    else if (source === 'ima') {
      last = isFirstEntry ? 'kernel' : 'userspace';
      isFirstEntry = false;
    }
    return last;
  });
}

/** systemd's phases: what comes before 'leave-initrd' is the initrd's. */
function userspaceStages(events: readonly LogEvent[], first: BootStage): BootStage[] {
  let stage = first;
  // A log that was begun anew, or by a system without systemd in its initrd, has no such phase.
  const hasInitrd = events.some(({ content }) => content?.eventType === 'phase' && content.string === 'leave-initrd');
  if (!hasInitrd) stage = events.some(({ content }) => content?.string === 'enter-initrd') ? 'initrd' : 'userspace';
  return events.map(({ content }) => {
    const now = stage;
    if (content?.eventType === 'phase' && content.string === 'leave-initrd') stage = 'userspace';
    return now;
  });
}

const EXIT_DONE = 'Exit Boot Services Returned with Success';

function firmwareStages(events: readonly LogEvent[], contents?: readonly EventData[]): BootStage[] {
  const marks = events.map((event, i) => markOf(event, contents?.[i]));
  // The stub starts with the image that holds it: the last one before the first section.
  const section = marks.indexOf('section');
  const stubImage = section < 0 ? -1 : marks.lastIndexOf('image', section);
  let stage: BootStage = 'firmware';
  return events.map((_, i) => {
    const mark = marks[i];
    // Events that only the next stage makes; the others belong to the one that is there.
    if (mark === 'section' && stage !== 'kernel') stage = 'stub';
    if (mark === 'kernel') stage = 'kernel';
    const now: BootStage = stage;
    if (mark === 'image' && stage === 'firmware') stage = 'loader';
    if (i === stubImage) stage = 'stub';
    if (mark === 'exit') stage = 'kernel';
    return now;
  });
}

type Mark = 'image' | 'section' | 'kernel' | 'exit' | undefined;

/** Drivers' images are the firmware's; an addon is loaded by a stub that runs already. */
function markOf(event: LogEvent, content?: EventData): Mark {
  if (event.pcr === 4 && event.type === 'EV_EFI_BOOT_SERVICES_APPLICATION') {
    const data = content ?? decodeEventData(event);
    return data.kind === 'imageLoad' && data.file?.toLowerCase().endsWith('.addon.efi') === true ? undefined : 'image';
  }
  if (event.pcr === 11 && event.type === 'EV_IPL') {
    const data = content ?? decodeEventData(event);
    return data.kind === 'text' && data.meaning?.what === 'section' ? 'section' : undefined;
  }
  if (event.pcr === 9 && event.type === 'EV_EVENT_TAG') {
    const data = content ?? decodeEventData(event);
    return data.kind === 'tagged' && data.meaning?.writer === 'linux' ? 'kernel' : undefined;
  }
  if (event.pcr === 5 && event.type === 'EV_EFI_ACTION') {
    const data = content ?? decodeEventData(event);
    return data.kind === 'text' && data.text.text === EXIT_DONE ? 'exit' : undefined;
  }
  return undefined;
}
