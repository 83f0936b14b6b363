// SPDX-License-Identifier: Apache-2.0
import type { VerdictSummary, WireFinding } from '@vouchsafe/protocol';
import { printable } from '../printable.ts';
import { timeText } from './table-text.ts';

const MARKS = { error: '✗', warning: '!', info: '·' } as const;

/** A verdict and its reasons, for people. */
export function verdictText({ status, isTrusted, atMs, image, findings, policy }: VerdictSummary): string {
  const booted = image === undefined ? 'no image that is known' : `${image.name} ${image.version}`;
  const lines = [
    `${isTrusted ? 'trusted' : 'not trusted'} (${status}), ${timeText(atMs)}`,
    `  booted ${booted}; decided by the policy ${policy.name}`,
    ...findings.flatMap(findingLines),
  ];
  return printable(lines.join('\n'));
}

function findingLines({ code, severity, where, expected, actual, hint }: WireFinding): string[] {
  const place = [
    where.pcr === undefined ? '' : `PCR ${where.pcr}`,
    where.event === undefined ? '' : `event ${where.event}`,
    where.artefact,
    where.path ?? '',
  ].filter((part) => part !== '');
  return [
    `  ${MARKS[severity]} ${code}: ${place.join(', ')}`,
    `      ${hint}`,
    ...(expected === undefined ? [] : [`      expected ${expected}`]),
    ...(actual === undefined ? [] : [`      found    ${actual}`]),
  ];
}
