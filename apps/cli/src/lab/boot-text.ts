// SPDX-License-Identifier: Apache-2.0
import type { LogExplanation } from '@vouchsafe/appraise';
import type {
  BootOutcome,
  BootResult,
  Expectation,
  SecureBoot,
  TamperCaseName,
  TamperVerdict,
} from '@vouchsafe/lab/boot';
import { explanationDocument, explanationText } from '../log/explanation-text.ts';
import type { ReadManifest } from '../manifest-file.ts';
import { printable } from '../printable.ts';
import { type BootTime, bootTimeText } from './boot-time.ts';
import { expectationText } from './tamper-help.ts';

/** A boot, and what is to be said of it. */
export interface BootAnswer {
  readonly booted: BootResult;
  readonly secureBoot: SecureBoot;
  readonly manifests: readonly ReadManifest[];
  readonly explained?: LogExplanation;
  readonly cases: readonly TamperCaseName[];
  readonly expected: readonly Expectation[];
  readonly tampering?: TamperVerdict;
  readonly time?: BootTime;
}

const OUTCOMES: Readonly<Record<BootOutcome, string>> = {
  reported: 'it came up, and reported',
  reached: 'it came as far as it should',
  refused_by_firmware: 'refused by firmware: it did not start what is on the disk',
  refused_by_initrd: 'refused by the initrd: it did not accept the root',
  refused_by_kernel: 'refused by the kernel: a block is not what the root hash says, or there is no root',
  ended: 'the machine ended without a report; --serial shows what it said',
  timed_out: 'its time was over; --serial shows how far it came, --timeout gives it longer',
  stopped: 'it was stopped',
};

/** Of a machine that did not come up, what it said last. */
const LAST_LINES = 8;

export function bootText(answer: BootAnswer): string {
  const { booted, secureBoot, explained, cases, expected, tampering, time } = answer;
  const isUp = booted.outcome === 'reported' || booted.outcome === 'reached';
  const parts = [
    ...(explained === undefined ? [] : [printable(explanationText(explained, false))]),
    ...(isUp ? [] : [lastLines(booted.serial)]),
    `Secure Boot ${secureBoot}: ${OUTCOMES[booted.outcome]}`,
    // Of a machine that did not come up, that is what there is to say.
    ...(isUp && time !== undefined ? [bootTimeText(time) ?? ''] : []),
    ...(isUp && explained === undefined && tampering === undefined
      ? ['Nothing was compared; --manifest FILE lays its log beside what was predicted.']
      : []),
    ...cases.map((name, i) => `tampered with, ${name}: expected ${expectationText(expected[i] as Expectation)}`),
    ...(tampering === undefined
      ? []
      : [`found: ${printable(tampering.found)}; ${tampering.isAsExpected ? 'as expected' : 'NOT AS EXPECTED'}`]),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function lastLines(serial: string): string {
  const lines = serial.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return lines
    .slice(-LAST_LINES)
    .map((line) => `  | ${printable(line)}`)
    .join('\n');
}

export function bootDocument({ booted, secureBoot, explained, manifests, cases, tampering, time }: BootAnswer) {
  const isVerified = manifests.find(({ manifest }) => manifest === explained?.manifest)?.isVerified ?? false;
  return {
    outcome: booted.outcome,
    secureBoot,
    refusals: booted.refusals,
    results: [...booted.results.keys()].sort(),
    ...(time === undefined ? {} : { time }),
    ...(explained === undefined ? {} : { log: explanationDocument(explained, isVerified) }),
    ...(tampering === undefined ? {} : { tampering: { cases, ...tampering } }),
  };
}
