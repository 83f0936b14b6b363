// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AuditReport, parseLogKey, verifyAuditLog } from '@vouchsafe/audit';
import { parseUtf8 } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import { auditHead } from '@vouchsafe/protocol';
import { EXIT } from '../exit-code.ts';
import { readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import { timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { readKeptHead, writeKeptHead } from './kept-head.ts';
import { linesOf } from './lines-of.ts';

interface Options extends ServiceOptions {
  readonly key?: string;
  readonly head?: string;
}

const KEPT = 'audit-head.json';

export const verify: Verb = {
  define(command, session) {
    command
      .description(
        'Proves that nothing in the audit log was altered or removed since it was checked last: all is computed anew and held against the signed head of now and that of then, which it keeps.',
      )
      .argument('[EXPORT]', 'what audit export has written; the log of the service unless given')
      .option('--key <file>', "the log's key, from elsewhere than the log; the one seen first unless given")
      .option('--head <file>', `what is kept from check to check (default: ${KEPT} beside the file of --service)`);
    addServiceOptions(command, 'audit verify')
      .addHelpText('after', '\nExit status 1: it does not hold.')
      .action((file: string | undefined, options: Options) => run(session, file, options));
  },
};

async function run(session: Session, file: string | undefined, options: Options): Promise<void> {
  const path = options.head ?? join(dirname(options.service), KEPT);
  const kept = readKeptHead(path);
  const key = await keyOf(session, file, options, kept?.key);
  const settings = { key: parseLogKey(key), knownHeads: kept === undefined ? [] : [kept.head] };
  const report =
    file === undefined
      ? await withService(options, (client) => verifyAuditLog(linesOf(client.stream('/v1/audit')), settings))
      : await verifyAuditLog(linesOf(chunksOf(file)), settings);
  const holds = report.findings.every(({ severity }) => severity !== 'error');
  if (holds && report.note !== undefined) writeKeptHead(path, { key, head: report.note });
  if (!holds) session.exitCode = EXIT.no;
  const { entries, size, head, note, findings } = report;
  session.answer(printable(reportText(report, holds, kept !== undefined)), {
    holds,
    ...{ entries, size, key },
    ...(head === undefined ? {} : { head: note, headAtMs: head.atMs }),
    isFirst: kept === undefined,
    findings,
  });
}

async function keyOf(
  session: Session,
  file: string | undefined,
  options: Options,
  kept: string | undefined,
): Promise<string> {
  if (options.key !== undefined) return parseUtf8(readSmallFile(options.key, 1024 * 1024)).trim();
  if (kept !== undefined) return kept;
  if (file !== undefined) throw new UsageError('give --key: nothing says yet which key the log is signed with');
  const { key } = await withService(options, (client) => client.get(auditHead, '/v1/audit/head'));
  session.note(`the log's key is taken as the service says it, this once: ${key}`);
  return key;
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer;
  } catch (cause) {
    throw hostError(path, cause);
  }
}

function reportText({ entries, size, head, findings }: AuditReport, holds: boolean, isCompared: boolean): string {
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
  return [`holds: ${what}`, `  ${since}`, ...lines].join('\n');
}
