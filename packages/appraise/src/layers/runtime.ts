// SPDX-License-Identifier: Apache-2.0
import { parseHex, toHex } from '@vouchsafe/base';
import { decodeImaBinaryLog, EventLogError, findImaPrefix, type ImaEvent } from '@vouchsafe/eventlog';
import { tpmHashSize, type VerifiedQuote } from '@vouchsafe/tpm';
import type { ImaState } from '../boot-state.ts';
import { IMA_PCR } from '../check-reference.ts';
import type { Evidence } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import { EntryJudge, type RuntimeReference } from './judge-entries.ts';

export interface RuntimeOutcome {
  readonly facts: Facts['runtime'];
  readonly findings: readonly AppraisalFinding[];
  /** Undefined when nothing of the list could be believed. */
  readonly state: ImaState | undefined;
}

/** What the kernel has measured of nothing. */
const NOTHING: Facts['runtime'] = {
  isMeasured: false,
  isAppraised: true,
  isAggregateGood: true,
  entries: 0,
  unknownFiles: 0,
  signedFiles: 0,
  deniedFiles: 0,
  violations: 0,
  unknownEntries: 0,
  verityDevices: 0,
  isVerityIntact: true,
};

const ARTEFACT = 'IMA list';
/** Findings that are said again by later verdicts of the same boot. */
const MAX_KEPT_FINDINGS = 32;

/**
 * Appraises what has been added to IMA's list since the last time. The list is read after the quote is made: the part of it
 * that leads to PCR 10 is evidence, and where it ends the next part begins.
 * @param previous how far the list of the same boot was appraised. @param references digest of the references in use.
 */
export function appraiseRuntime(
  quote: VerifiedQuote,
  bank: 'sha256' | 'sha384' | 'sha512',
  evidence: Evidence,
  previous: ImaState | undefined,
  reference: RuntimeReference,
  references: string,
): RuntimeOutcome {
  const value = quote.pcrs.find((quoted) => quoted.bank === bank && quoted.pcr === IMA_PCR)?.value;
  const { ima } = evidence.logs;
  // The whole list may always be sent: what it comes to is found anew.
  const known = ima?.offset === 0 && ima.bytes.length > 0 ? undefined : previous;
  const start = known ?? {
    offset: 0,
    value: '00'.repeat(tpmHashSize(bank)),
    facts: NOTHING,
    verityNames: [],
    findings: [],
  };
  const refused = (finding: AppraisalFinding): RuntimeOutcome => ({
    facts: { ...start.facts, isMeasured: true, isAppraised: false },
    findings: [...start.findings, finding],
    state: previous,
  });
  if (value === undefined) {
    return refused({
      code: 'pcr_unquoted',
      severity: 'error',
      where: { artefact: 'quote', pcr: IMA_PCR },
      hint: 'Quote PCR 10',
    });
  }
  if (toHex(value) === start.value) {
    return { facts: start.facts, findings: start.findings, state: { ...start, references } };
  }
  if (ima === undefined) return refused(unappraised(value, bank));
  if (ima.offset !== start.offset) return refused(wrongOffset(start.offset, ima.offset));
  const listed = readList(ima.bytes, ima.offset, start.facts.entries);
  if (!Array.isArray(listed)) return refused(listed as AppraisalFinding);
  const found = findImaPrefix(listed, value, { bank, start: parseHex(start.value), artefact: ARTEFACT });
  if (found === undefined) return refused(mismatch(value, bank, start.offset));
  const judge = new EntryJudge(reference, start.facts, start.verityNames);
  for (const event of found.events) judge.take(event);
  const findings = [...start.findings, ...found.replay.findings, ...judge.findings];
  const isTrue = found.replay.findings.length === 0;
  const facts = { ...judge.facts, isMeasured: true, isAppraised: start.facts.isAppraised && isTrue };
  const state = {
    offset: found.endOffset,
    value: toHex(value),
    facts,
    verityNames: judge.verityNames,
    findings: findings.slice(0, MAX_KEPT_FINDINGS),
    references,
  };
  return { facts, findings, state };
}

/** Places and numbers of entries are those of the whole list. */
function readList(bytes: Uint8Array, offset: number, entries: number): ImaEvent[] | AppraisalFinding {
  try {
    const { events } = decodeImaBinaryLog(bytes);
    if (offset === 0 && entries === 0) return [...events];
    return events.map((event) => ({
      ...event,
      index: event.index + entries,
      offset: event.offset + offset,
      endOffset: event.endOffset + offset,
    }));
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    const hint = 'The list cannot be read; send binary_runtime_measurements from the offset that was asked for';
    return { code: 'log_malformed', severity: 'error', where: { artefact: ARTEFACT }, actual: error.message, hint };
  }
}

function unappraised(value: Uint8Array, bank: string): AppraisalFinding {
  const hint = 'The kernel measured files into PCR 10, and its list was not sent';
  const where = { artefact: 'quote', pcr: IMA_PCR, bank };
  return { code: 'ima_unappraised', severity: 'warning', where, actual: toHex(value), hint };
}

function wrongOffset(expected: number, actual: number): AppraisalFinding {
  const hint = 'The list begins elsewhere than was asked for; send it from there';
  return {
    code: 'ima_offset',
    severity: 'error',
    where: { artefact: ARTEFACT },
    expected: String(expected),
    actual: String(actual),
    hint,
  };
}

function mismatch(value: Uint8Array, bank: string, offset: number): AppraisalFinding {
  const hint = 'Entries were left out, added or changed, or the list is of another boot; send the list of this boot';
  const where = { artefact: ARTEFACT, pcr: IMA_PCR, bank, offset };
  return { code: 'ima_mismatch', severity: 'error', where, expected: toHex(value), hint };
}
