// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { MeasureError } from './error.ts';
import { eventOf } from './event.ts';

/**
 * The boot phases that systemd-measure predicts unless told otherwise: from the start of the initrd to the end of boot.
 * systemd, src/measure/measure.c (parse_argv).
 */
export const DEFAULT_PHASES: readonly string[] = [
  'enter-initrd',
  'enter-initrd:leave-initrd',
  'enter-initrd:leave-initrd:sysinit',
  'enter-initrd:leave-initrd:sysinit:ready',
];

const MAX_WORDS = 64;
/** What systemd-pcrphase is called with in practice; anything else would only hide a typing error. */
const WORD = /^[!-9;-~]{1,64}$/;

/**
 * The words of a boot phase path, 'enter-initrd:leave-initrd'; none for ':' and for the empty text, which stand for the
 * bare kernel. systemd-measure(1), --phase=.
 * @throws {MeasureError} 'phase_invalid'
 */
export function parsePhasePath(path: string): string[] {
  const words = path.length > MAX_WORDS * 65 ? [path] : path.split(':').filter((word) => word !== '');
  const wrong = words.length > MAX_WORDS ? path : words.find((word) => !WORD.test(word));
  if (wrong !== undefined) {
    const message = `expected boot phases such as 'enter-initrd:leave-initrd', at most ${MAX_WORDS} words of up to 64 printable ASCII characters, found ${JSON.stringify(wrong.slice(0, 80))}`;
    throw new MeasureError('phase_invalid', message);
  }
  return words;
}

/**
 * What systemd-pcrphase extends into PCR 11 as the boot goes on: each word, without a NUL. systemd, src/measure/measure.c
 * (measure_phase) and src/boot/pcrphase.c.
 * @throws {MeasureError} 'phase_invalid'
 */
export function predictPhases(banks: readonly Bank[], path: string): PredictedEvent[] {
  return parsePhasePath(path).map((word) =>
    eventOf(
      banks,
      { pcr: 11, description: `boot phase '${word}'`, origin: { artefact: 'systemd-pcrphase' } },
      utf8(word),
    ),
  );
}
