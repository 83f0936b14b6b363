// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { PredictedEvent } from '@vouchsafe/manifest';
import type { UnpredictedPcr } from '@vouchsafe/measure';
import type { PhasePcrs } from './predicted-phases.ts';

/** Phase by phase, each PCR on a line. */
export function phasesText(phases: readonly PhasePcrs[]): string {
  return phases
    .flatMap(({ phase, pcrs }) => [
      phase === '' ? 'when the kernel has started:' : `after ${phase}:`,
      ...Object.entries(pcrs).flatMap(([bank, values]) =>
        Object.entries(values).map(([pcr, value]) => `  ${bank} ${pcr.padStart(2)} ${value}`),
      ),
    ])
    .join('\n');
}

/** In the order of the log: what it is and where it comes from, then what each bank is extended with. */
export function eventsText(events: readonly PredictedEvent[]): string {
  return events
    .flatMap(({ pcr, description, origin, digests }) => [
      `PCR ${String(pcr).padStart(2)}  ${description} (${originText(origin)})`,
      ...[...digests].map(([bank, digest]) => `  ${bank} ${toHex(digest)}`),
    ])
    .join('\n');
}

/** 'linux.efi, .initrd at 0x4000'. */
export function originText({ artefact, section, offset }: PredictedEvent['origin']): string {
  const place = section === undefined ? artefact : `${artefact}, ${section}`;
  return offset === undefined ? place : `${place} at 0x${offset.toString(16)}`;
}

export function unpredictedText(unpredicted: readonly UnpredictedPcr[]): string {
  if (unpredicted.length === 0) return '';
  return ['not predicted:', ...unpredicted.map(({ pcr, reason }) => `  ${String(pcr).padStart(2)} ${reason}`)].join(
    '\n',
  );
}

export function eventDocument({ digests, ...event }: PredictedEvent) {
  return { ...event, digests: Object.fromEntries([...digests].map(([bank, digest]) => [bank, toHex(digest)])) };
}
