// SPDX-License-Identifier: Apache-2.0
import { type Expectation, TAMPER_CASE_NAMES, TAMPER_CASES } from '@vouchsafe/lab/boot';

/** What is expected of a case, for people. */
export function expectationText(expected: Expectation): string {
  switch (expected.kind) {
    case 'refused':
      return expected.by.map((outcome) => outcome.replaceAll('_', ' ')).join(' or ');
    case 'visible':
      return `to boot, and to be seen in the log: ${expected.reasons.join(', ')}`;
    case 'older':
      return 'to boot, and its log to be that of the earlier version';
    case 'unlogged':
      return `to boot, and PCR ${expected.pcr} to hold what no log leads to`;
    case 'orders':
      return 'to run on: a block is refused when it is read, and not before';
    case 'unnoticed':
      return `to boot as if nothing had been done: ${expected.why}`;
  }
}

/** All cases. */
export function tamperHelp(): { readonly text: string; readonly document: unknown } {
  const entries = TAMPER_CASE_NAMES.map((name) => ({ name, ...TAMPER_CASES[name] }));
  const width = Math.max(...TAMPER_CASE_NAMES.map((name) => name.length));
  const indent = ' '.repeat(width + 4);
  const text = entries.map(({ name, summary, expected, before, needs = [] }) =>
    [
      `  ${name.padEnd(width)}  ${summary}`,
      ...Object.entries(expected).map(([state, one]) => `${indent}Secure Boot ${state}: ${expectationText(one)}`),
      ...(before === undefined
        ? []
        : [`${indent}stubs before systemd ${before.stubVersion}: ${expectationText(before.expected)}`]),
      ...needs.map((input) => `${indent}needs ${NEEDS[input]}`),
    ].join('\n'),
  );
  return {
    text: ['What is expected of a machine whose disk, or whose running system, was tampered with:', ...text].join(
      '\n\n',
    ),
    document: entries.map(({ name, summary, expected, before }) => ({
      ...{ name, summary, expected },
      ...(before === undefined ? {} : { before }),
    })),
  };
}

const NEEDS = { keys: '--keys DIR', olderDisk: '--older DISK', stub: 'a stub' } as const;
