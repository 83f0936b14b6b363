// SPDX-License-Identifier: Apache-2.0
// What is run in Node.js and in a page: a log is replayed, and a quote over what it leads to is checked.
import { parseHex, toHex, utf8 } from '@vouchsafe/base';
import { checkReplay, decodeLog, describeLog, replayLogs } from '@vouchsafe/eventlog';
import { decodePublic, importSigningKey, type PcrValue, verifyQuote } from '@vouchsafe/tpm';

/** All in hexadecimal, as it goes into a page. */
export interface Evidence {
  readonly logs: readonly string[];
  readonly publicArea: string;
  readonly attest: string;
  readonly signature: string;
  readonly nonce: string;
  readonly pcrs: readonly { readonly pcr: number; readonly value: string }[];
}

export interface Answers {
  /** Per log: kind, and the summary and trust of each event. */
  readonly events: readonly (readonly [kind: string, events: readonly string[]])[];
  readonly pcrs: readonly (readonly [pcr: number, value: string])[];
  readonly quotedPcrs: readonly number[];
  readonly findings: readonly string[];
  /** The code with which a quote with another nonce is refused. */
  readonly refusal: string;
}

export function runEvidence(evidence: Evidence): Answers {
  const logs = evidence.logs.map((log) => decodeLog(parseHex(log)));
  const replay = replayLogs(logs, { banks: ['sha256'] });
  const bank = replay.banks.get('sha256');
  const values = evidence.pcrs.map(({ pcr, value }): PcrValue => ({ bank: 'sha256', pcr, value: parseHex(value) }));
  const quoted = {
    attest: parseHex(evidence.attest),
    signature: parseHex(evidence.signature),
    pcrs: values,
  };
  const key = importSigningKey(decodePublic(parseHex(evidence.publicArea)).value);
  const selection = [{ bank: 'sha256', pcrs: values.map(({ pcr }) => pcr) }] as const;
  const quote = verifyQuote(quoted, { key, selection, nonce: parseHex(evidence.nonce) });
  return {
    events: logs.map((log) => [log.kind, describeLog(log).map(({ trust, summary }) => `${trust}: ${summary}`)]),
    pcrs: [...(bank?.pcrs ?? [])].map(([pcr, value]) => [pcr, toHex(value)]),
    quotedPcrs: quote.pcrs.map(({ pcr }) => pcr),
    findings: checkReplay(replay, quote).map(({ code, where }) => `${code} ${where.pcr}`),
    refusal: codeOf(() => verifyQuote(quoted, { key, selection, nonce: utf8('another nonce') })),
  };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'none';
}

Object.assign(globalThis, { runEvidence });
