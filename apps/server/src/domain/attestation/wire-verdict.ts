// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from '@vouchsafe/appraise';
import type { Finding } from '@vouchsafe/base';
import type { VerdictSummary, WireFinding } from '@vouchsafe/protocol';
import { sha256OfText } from '../random.ts';

const MAX_TEXT_CHARS = 4096;
const MAX_ARTEFACT_CHARS = 1024;
const MAX_REFERENCES = 64;
/** Of all findings of a verdict together. */
const MAX_FINDINGS_CHARS = 64 * 1024;

/** A verdict's summary without its time: it is mostly that of the verdict before, and is kept once. */
export type VerdictDetail = Omit<VerdictSummary, 'atMs'>;

export function detailOf({ status, isTrusted, image, findings, references, policy }: Verdict): VerdictDetail {
  return {
    status,
    isTrusted,
    ...(image === undefined ? {} : { image: { name: image.name, version: image.version } }),
    findings: boundedFindings(findings),
    references: references.slice(0, MAX_REFERENCES).map(({ name, sha256 }) => ({ name: cut(name, 256), sha256 })),
    policy: { name: cut(policy.name, 256), sha256: policy.sha256 },
  };
}

/**
 * All of them, but those of a machine that writes long names into its logs, each time others, to fill the database: then as
 * many as have room, the gravest first.
 */
function boundedFindings(findings: readonly Finding[]): WireFinding[] {
  const all = findings.map(wireFinding);
  let left = MAX_FINDINGS_CHARS;
  const hasRoom = (one: WireFinding): boolean => {
    left -= JSON.stringify(one).length;
    return left >= 0;
  };
  if (all.every(hasRoom)) return all;
  left = MAX_FINDINGS_CHARS;
  const sorted = all.toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity]);
  const end = sorted.findIndex((one) => !hasRoom(one));
  return sorted.slice(0, end);
}

const GRAVITY = { error: 0, warning: 1, info: 2 } as const;

/** As it is kept. */
export function storedDetail(detail: VerdictDetail): { readonly sha256: string; readonly body: string } {
  const body = JSON.stringify(detail);
  return { sha256: sha256OfText(body), body };
}

export const summaryOf = (body: string, atMs: number): VerdictSummary => ({
  ...(JSON.parse(body) as VerdictDetail),
  atMs,
});

/** Texts may hold what an attacker wrote, of any length. */
export function wireFinding({ code, severity, where, expected, actual, hint }: Finding): WireFinding {
  const { artefact, path, ...place } = where;
  return {
    code,
    severity,
    where: {
      ...place,
      artefact: cut(artefact, MAX_ARTEFACT_CHARS),
      ...(path === undefined ? {} : { path: cut(path, MAX_TEXT_CHARS) }),
    },
    ...(expected === undefined ? {} : { expected: cut(expected, MAX_TEXT_CHARS) }),
    ...(actual === undefined ? {} : { actual: cut(actual, MAX_TEXT_CHARS) }),
    hint: cut(hint, MAX_TEXT_CHARS),
  };
}

const cut = (text: string, maxChars: number): string => (text.length <= maxChars ? text : text.slice(0, maxChars));
