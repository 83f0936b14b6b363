// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, isVouchsafeError, toHex, utf8 } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import {
  comparePcrs,
  isTdxLog,
  type LogFinding,
  type PcrComparison,
  parsePcrList,
  type Replay,
  replayIma,
  replayLogs,
} from '@vouchsafe/eventlog';
import { formatBank, isTpmHash, type TpmBank } from '@vouchsafe/tpm';
import { EXIT } from '../exit-code.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { findingText, headDocument } from './log-document.ts';
import { logQuirks, type Quirk, quirkOption, replayQuirks } from './quirks.ts';
import { expandPaths, type NamedLog, readLog, readLogFile } from './read-log.ts';
import { bankName } from './show.ts';

interface ReplayCommandOptions {
  readonly pcrs?: string;
  readonly bank?: readonly TpmBank[];
  readonly quirk?: readonly Quirk[];
}

const collectBanks = (text: string, earlier: readonly TpmBank[] = []): readonly TpmBank[] => [
  ...earlier,
  bankName(text),
];

export const replay: Verb = {
  define(command, session) {
    command
      .description(
        'Computes the PCRs that logs of one boot lead to, and compares them with those of the machine. Several logs are replayed one after the other, the firmware log first.',
      )
      .argument('<FILE...>', 'logs of one boot, in order; - for standard input')
      .option(
        '--pcrs <file>',
        "values to compare with: tpm2_pcrread's, JSON of this command, or a folder /sys/class/tpm/tpm0",
      )
      .option('--bank <name>', 'bank to replay; may be repeated (default: all of the logs)', collectBanks)
      .addOption(quirkOption())
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExit status 1: a PCR differs, or is in no log.\n\nExample:\n  vouchsafe log replay boot.log --pcrs pcrs.yaml',
      )
      .action((paths: string[], options: ReplayCommandOptions) => run(session, paths, options));
  },
};

function run(session: Session, arguments_: readonly string[], options: ReplayCommandOptions): void {
  const given = options.pcrs === undefined ? undefined : parsePcrList(readPcrs(options.pcrs));
  const logs = expandPaths(arguments_).map((path) =>
    readLog(path, logQuirks(options.quirk), (text) => session.note(text)),
  );
  const result = replayLogs(
    logs.map(({ log }) => log),
    {
      artefacts: logs.map(({ path }) => path),
      quirks: replayQuirks(options.quirk),
      ...(options.bank === undefined ? {} : { banks: options.bank }),
    },
  );
  const findings = [...result.findings, ...logs.flatMap(imaFindings)];
  const compared =
    given &&
    comparePcrs(
      result,
      logs.map(({ log }) => log),
      given,
    );
  if (compared?.some(({ result: answer }) => !GOOD.has(answer)) === true) session.exitCode = EXIT.no;
  session.answer(
    printable([pcrsText(result), ...(compared ?? []).map(comparisonText), ...findings.map(findingText), ''].join('\n')),
    {
      logs: logs.map((named) => headDocument(named, undefined)),
      startupLocality: result.startupLocality,
      pcrs: pcrsDocument(result),
      ...nvDocument(result),
      ...(logs.some(({ log }) => isTdxLog(log)) ? { rtmrs: rtmrsDocument(result) } : {}),
      ...(compared === undefined ? {} : { comparison: compared.map(comparisonDocument) }),
      findings,
    },
  );
}

const GOOD: ReadonlySet<PcrComparison['result']> = new Set(['equal', 'equal_to_part']);

/** A folder is sysfs's: pcr-BANK/NUMBER, each a file with the value. */
function readPcrs(path: string): Uint8Array {
  try {
    if (path === '-' || !statSync(path).isDirectory()) return readLogFile(path);
    const parts = readdirSync(path)
      .filter((name) => name.startsWith('pcr-'))
      .flatMap((folder) =>
        readdirSync(join(path, folder)).map((pcr) => {
          const value = readLogFile(join(path, folder, pcr));
          return concatBytes(utf8(`${folder}/${pcr}:`), value, utf8('\n'));
        }),
      );
    return concatBytes(...parts);
  } catch (cause) {
    if (isVouchsafeError(cause)) throw cause;
    throw hostError(path, cause);
  }
}

/** Entries whose template digest is not that of their data: the replay goes by the data. */
function imaFindings({ log, path }: NamedLog): readonly LogFinding[] {
  if (log.kind !== 'ima' || !isTpmHash(log.templateHash)) return [];
  const pcrs = new Set(log.events.map(({ pcr }) => pcr));
  return [...pcrs].flatMap((pcr) => replayIma(log.events, { bank: log.templateHash, pcr, artefact: path }).findings);
}

type Pcrs = Readonly<Record<string, Readonly<Record<string, string>>>>;

function pcrsDocument({ banks }: Replay): Pcrs {
  return Object.fromEntries(
    [...banks].map(([bank, { pcrs }]) => [
      formatBank(bank),
      Object.fromEntries([...pcrs].sort(([a], [b]) => a - b).map(([pcr, value]) => [String(pcr), toHex(value)])),
    ]),
  );
}

/** A TDX guest's registers by their own numbers, which its log counts from 1. */
function rtmrsDocument({ banks }: Replay): Readonly<Record<string, string>> {
  const values = [...(banks.get('sha384')?.pcrs ?? [])].filter(([register]) => register >= 1 && register <= 4);
  return Object.fromEntries(values.map(([register, value]) => [String(register - 1), toHex(value)]));
}

function nvDocument({ banks }: Replay): { readonly nvPcrs?: Pcrs } {
  const nvPcrs = Object.fromEntries(
    [...banks]
      .filter(([, bank]) => bank.nvPcrs.size > 0)
      .map(([bank, { nvPcrs: values }]) => [
        formatBank(bank),
        Object.fromEntries([...values].map(([name, value]) => [name, toHex(value)])),
      ]),
  );
  return Object.keys(nvPcrs).length === 0 ? {} : { nvPcrs };
}

/** As tpm2_pcrread prints them, so that one can be compared with the other. */
function pcrsText(result: Replay): string {
  const nv = nvDocument(result).nvPcrs ?? {};
  return Object.entries(pcrsDocument(result))
    .map(([bank, pcrs]) => {
      const lines = Object.entries(pcrs).map(([pcr, value]) => `    ${pcr.padEnd(2)}: 0x${value.toUpperCase()}`);
      const nvLines = Object.entries(nv[bank] ?? {}).map(([name, value]) => `    NV ${name}: 0x${value.toUpperCase()}`);
      return [`  ${bank}:`, ...lines, ...nvLines].join('\n');
    })
    .join('\n');
}

function comparisonDocument({ bank, pcr, value, result, replayed, entries }: PcrComparison): object {
  return {
    bank: formatBank(bank),
    pcr,
    value: toHex(value),
    result,
    ...(replayed === undefined ? {} : { replayed: toHex(replayed) }),
    ...(entries === undefined ? {} : { entries }),
  };
}

function comparisonText(comparison: PcrComparison): string {
  const { bank, pcr, value, result, entries } = comparison;
  const name = `${formatBank(bank)} ${String(pcr).padStart(2)}`;
  switch (result) {
    case 'equal':
      return `${name} equal`;
    case 'equal_to_part':
      return `${name} equal, after ${entries?.covered} of ${entries?.all} entries`;
    case 'different':
      return `${name} DIFFERENT: the machine has ${toHex(value)}; an event is missing, was added or changed, or this is another boot's log`;
    case 'unexplained':
      return `${name} UNEXPLAINED: the machine has ${toHex(value)}, and none of these logs extends it`;
    case 'not_in_bank':
      return `${name} UNKNOWN: the logs have no digests of it in this bank`;
  }
}
