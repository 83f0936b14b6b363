// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AuditReport, parseLogKey, verifyAuditLog } from '@vouchsafe/audit';
import { hostError } from '@vouchsafe/bytes/node';
import { EXIT } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { KEPT_HEAD, readKeptHead, writeKeptHead } from './kept-head.ts';
import { linesOf } from './lines-of.ts';
import { logKeyText } from './log-key-text.ts';

interface Options extends ServiceOptions {
  readonly key?: string;
  readonly head?: string;
  readonly skipVerdicts?: boolean;
}

export const verify: Verb = {
  define(command, session) {
    command
      .description(
        'Proves that nothing in the audit log, and no verdict, was altered or removed since it was checked last: all is computed anew and held against the signed head of now and that of then, which it keeps.',
      )
      .argument('[EXPORT]', 'what audit export has written; the log of the service unless given')
      .option('--key <file>', "the log's key, from elsewhere than the log; the one seen first unless given")
      .option('--head <file>', `what is kept from check to check (default: ${KEPT_HEAD} beside the file of --service)`)
      .option('--skip-verdicts', 'the log alone, not each verdict that it vouches for');
    addServiceOptions(command, 'audit verify')
      .addHelpText('after', '\nExit status 1: it does not hold.')
      .action((file: string | undefined, options: Options) => run(session, file, options));
  },
};

async function run(session: Session, file: string | undefined, options: Options): Promise<void> {
  const path = options.head ?? join(dirname(options.service), KEPT_HEAD);
  const kept = readKeptHead(path);
  if (file !== undefined && options.key === undefined && kept === undefined) {
    throw new UsageError('give --key: nothing says yet which key the log is signed with');
  }
  const key = await logKeyText(session, options, kept?.key);
  const wantsRecords = options.skipVerdicts !== true;
  const settings = { key: parseLogKey(key), knownHeads: kept === undefined ? [] : [kept.head] };
  const report =
    file === undefined
      ? await withService(options, (client) =>
          verifyAuditLog(linesOf(client.stream(`/v1/audit${wantsRecords ? '?records=true' : ''}`)), {
            ...{ ...settings, wantsRecords },
          }),
        )
      : await verifyAuditLog(linesOf(chunksOf(file)), settings);
  const holds = report.findings.every(({ severity }) => severity !== 'error');
  if (holds && report.note !== undefined) writeKeptHead(path, { key, head: report.note });
  if (!holds) session.exitCode = EXIT.no;
  const { entries, size, head, note, records, findings } = report;
  session.answer(printable(reportText(report, holds, kept !== undefined)), {
    holds,
    ...{ entries, size, key },
    verdicts: records,
    ...(head === undefined ? {} : { head: note, headAtMs: head.atMs }),
    isFirst: kept === undefined,
    findings,
  });
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer;
  } catch (cause) {
    throw hostError(path, cause);
  }
}

function reportText(
  { entries, size, head, records, findings }: AuditReport,
  holds: boolean,
  isCompared: boolean,
): string {
  const lines = findings.flatMap(({ code, where, expected, actual, hint }) => [
    `  ${code}: ${'artefact' in where ? where.artefact : ''}`,
    `      ${hint}`,
    ...(expected === undefined ? [] : [`      expected ${expected}`]),
    ...(actual === undefined ? [] : [`      found    ${actual}`]),
  ]);
  const what = `${entries} entries of ${size}, up to the head of ${timeText(head?.atMs) || 'no time'}`;
  if (!holds) return [`does not hold: ${what}`, ...lines].join('\n');
  const since = isCompared
    ? 'nothing that was there at the last check was altered or removed'
    : 'the first check: its head is kept';
  return [`holds: ${what}`, `  ${since}`, `  ${verdictsText(records)}`, ...lines].join('\n');
}

function verdictsText({ areChecked, committed, held, forgottenBeforeMs }: AuditReport['records']): string {
  if (!areChecked) return `${committed} verdicts were not looked at`;
  const forgotten = committed - held;
  const rest = forgotten === 0 ? '' : `; ${forgotten} were forgotten, of before ${timeText(forgottenBeforeMs)}`;
  return `${held} verdicts are as they were recorded${rest}`;
}
