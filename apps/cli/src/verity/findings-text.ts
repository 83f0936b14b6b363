// SPDX-License-Identifier: Apache-2.0
import type { Finding, FindingPlace } from '@vouchsafe/base';

/** More than this many are counted, not shown; --json has them all. */
const MAX_SHOWN = 40;

/** Findings as lines for people. */
export function findingsText(findings: readonly Finding[]): string {
  const lines = findings.slice(0, MAX_SHOWN).map((finding) => {
    const expected = finding.expected === undefined ? '' : `\n    expected ${finding.expected}`;
    const actual = finding.actual === undefined ? '' : `\n    found    ${finding.actual}`;
    return `${placeText(finding.where)}: ${finding.code}${expected}${actual}\n    ${finding.hint}`;
  });
  const more = findings.length - MAX_SHOWN;
  return [...lines, ...(more > 0 ? [`… and ${more} more; --json lists them all`] : [])].join('\n');
}

function placeText({ artefact, path, block, blocks }: FindingPlace): string {
  const range =
    block === undefined
      ? blocks === undefined
        ? ''
        : `, ${blocks} blocks`
      : blocks === undefined || blocks === 1
        ? `, block ${block}`
        : `, blocks ${block} to ${block + blocks - 1}`;
  return `${artefact}${path === undefined ? '' : `, ${path}`}${range}`;
}
