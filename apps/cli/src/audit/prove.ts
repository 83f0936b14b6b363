// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { checkRecordProof, parseLogKey, type RecordProof, type RecordProofOutcome } from '@vouchsafe/audit';
import { parseBase64 } from '@vouchsafe/pki';
import { type VerdictProof, verdictProof } from '@vouchsafe/protocol';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { EXIT } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { KEPT_HEAD, readKeptHead } from './kept-head.ts';
import { logKeyText } from './log-key-text.ts';

interface Options extends ServiceOptions {
  readonly at?: number;
  readonly key?: string;
  readonly head?: string;
}

export const prove: Verb = {
  define(command, session) {
    command
      .description(
        "Proves that a machine's verdict is the one that was recorded then: the way from the verdict to its entry of the audit log, and from there to a head that the log's key has signed.",
      )
      .argument('<DEVICE>', 'as device list shows it')
      .option('--at <time>', 'the last verdict that is not after this time; the newest unless given', time)
      .option('--key <file>', "the log's key, from elsewhere than the log; the one seen first unless given")
      .option(
        '--head <file>',
        `where audit verify keeps that key (default: ${KEPT_HEAD} beside the file of --service)`,
      );
    addServiceOptions(command, 'audit prove web-1 --at 2026-12-01T08:00:00Z')
      .addHelpText('after', '\nExit status 1: it does not hold.')
      .action((device: string, options: Options) => run(session, device, options));
  },
};

async function run(session: Session, device: string, options: Options): Promise<void> {
  const kept = readKeptHead(options.head ?? join(dirname(options.service), KEPT_HEAD));
  const key = parseLogKey(await logKeyText(session, options, kept?.key));
  const query = options.at === undefined ? '' : `?at=${options.at}`;
  const path = `/v1/devices/${encodeURIComponent(device)}/verdict-proof${query}`;
  const answer = await withService(options, (client) => client.get(verdictProof, path));
  const outcome = checkRecordProof(proofOf(answer), key);
  const verdict = verdictOf(answer.record);
  // The proof is of whatever verdict the service chose: it must be of the machine and the time that were asked for.
  const isAskedFor = verdict?.device === device && verdict.atMs <= (options.at ?? Number.MAX_SAFE_INTEGER);
  const holds = outcome.holds && isAskedFor;
  if (!holds) session.exitCode = EXIT.no;
  session.answer(printable(textOf(answer, verdict, outcome, holds)), {
    holds,
    ...(outcome.holds ? {} : { fault: outcome.fault }),
    verdict: verdict ?? answer.record,
    proof: answer,
  });
}

const proofOf = ({ head: note, hashes, entry, ...rest }: VerdictProof): RecordProof => ({
  ...{ ...rest, note, hashes: hashes.map(parseBase64) },
  entry: { ...entry, hashes: entry.hashes.map(parseBase64) },
});

interface RecordedVerdict {
  readonly device: string;
  readonly atMs: number;
  readonly status: string;
  readonly isTrusted: boolean;
}

function verdictOf(record: string): RecordedVerdict | undefined {
  try {
    const { device, atMs, status, isTrusted } = JSON.parse(record) as Partial<RecordedVerdict>;
    const isOne = typeof device === 'string' && Number.isSafeInteger(atMs) && typeof status === 'string';
    return isOne ? { device, atMs: atMs as number, status, isTrusted: isTrusted === true } : undefined;
  } catch {
    return undefined;
  }
}

function textOf(
  { record, index, entry }: VerdictProof,
  verdict: RecordedVerdict | undefined,
  outcome: RecordProofOutcome,
  holds: boolean,
): string {
  const what =
    verdict === undefined
      ? record
      : `${verdict.device} at ${timeText(verdict.atMs)}: ${verdict.status}, ${verdict.isTrusted ? 'trusted' : 'not trusted'}`;
  if (!outcome.holds) return `does not hold: ${what}\n  ${FAULTS[outcome.fault]}`;
  if (!holds) return `does not hold: ${what}\n  the service proved another verdict than the one asked for`;
  const place = `verdict ${index + 1} of ${outcome.groupSize} in entry ${entry.index}`;
  return `holds: ${what}\n  ${place} of ${outcome.head.size}, under the head of ${timeText(outcome.head.atMs)}`;
}

const FAULTS: Readonly<Record<(RecordProofOutcome & { holds: false })['fault'], string>> = {
  head_unsigned: "the head is not signed by the log's key",
  entry_not_in_log: 'the entry is not in the log that the head is of',
  record_not_in_entry: 'the verdict is not one that the entry stands for: it was altered since, or put in',
};

/** A moment as texts show it, or as JSON has it. */
function time(text: string): number {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (/^\d{1,15}$/.test(text) || /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/.test(text)) {
    // What is shown to the second is meant to the end of it.
    if (!Number.isNaN(ms)) return /\.|^\d+$/.test(text) ? ms : ms + 999;
  }
  throw new InvalidArgumentError('Expected a time, as in 2026-12-01T08:00:00Z, or milliseconds since 1970.');
}
