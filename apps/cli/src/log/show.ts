// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError, toHex } from '@vouchsafe/base';
import {
  bestBank,
  checkEventData,
  checkSeparators,
  type DescribedEvent,
  describeLog,
  digestOf,
  formatTpm2Yaml,
  isTdxLog,
  type LogFinding,
  registerName,
  replayFindings,
  type YamlVersion,
} from '@vouchsafe/eventlog';
import { formatBank, isTpmHash, type TpmBank } from '@vouchsafe/tpm';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { EXIT } from '../exit-code.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { eventDocument, findingText, headDocument } from './log-document.ts';
import { logQuirks, type Quirk, quirkOption } from './quirks.ts';
import { expandPaths, type NamedLog, readLog } from './read-log.ts';

interface ShowOptions {
  readonly bank?: TpmBank;
  readonly yaml?: true;
  readonly yamlVersion?: YamlVersion;
  readonly quirk?: readonly Quirk[];
}

export function bankName(text: string): TpmBank {
  if (!isTpmHash(text)) throw new InvalidArgumentError('Expected the name of a bank, as sha256.');
  return text;
}

function yamlVersion(text: string): YamlVersion {
  if (text !== '1' && text !== '2') throw new InvalidArgumentError('Expected 1 or 2.');
  return text === '1' ? 1 : 2;
}

const TRUST_LEGEND = `
How far an event may be believed, once its PCR has been matched with a quote:
  measured    its digest covers what is shown
  partly      it covers the value, not the name
  claimed     something was measured; what is shown is only what the log says of it
  unmeasured  nothing was`;

export const show: Verb = {
  define(command, session) {
    command
      .description(
        'Shows the events of boot logs: of the firmware, IMA, systemd, dynamic launches, and canonical logs, each known by its content.',
      )
      .argument('<FILE...>', 'logs, or folders of logs; - for standard input')
      .option('--bank <name>', 'bank whose digests are shown (default: the best one of the log)', bankName)
      .option('--yaml', 'print as tpm2_eventlog does')
      .option('--yaml-version <number>', "tpm2_eventlog's --eventlog-version, 1 or 2", yamlVersion)
      .addOption(quirkOption())
      .option('--json', 'print one JSON document')
      .addHelpText('after', `${TRUST_LEGEND}\n\nExample:\n  vouchsafe log show boot.log`)
      .action((paths: string[], options: ShowOptions) => showLogs(session, paths, options));
  },
};

/** Shows logs; `tpm events` does it for those of this machine. */
export function showLogs(session: Session, arguments_: readonly string[], options: ShowOptions): void {
  const paths = expandPaths(arguments_);
  const yaml = options.yamlVersion ?? (options.yaml === true ? 1 : undefined);
  if (yaml !== undefined && session.isJson) throw new UsageError('--yaml and --json exclude each other');
  const isOne = paths.length === 1;
  const shown: object[] = [];
  const texts: string[] = [];
  for (const path of paths) {
    try {
      const named = readLog(path, logQuirks(options.quirk), (text) => session.note(text));
      if (session.isJson) shown.push(logDocument(named, options.bank));
      else texts.push(yaml === undefined ? logText(named, options.bank) : yamlText(named, yaml));
    } catch (error) {
      // One bad file does not hide the others.
      if (isOne || !isVouchsafeError(error)) throw error;
      session.note(error.message);
      session.exitCode = EXIT.failed;
      shown.push({ file: path, error: { code: error.code, message: error.message } });
    }
  }
  session.answer(texts.join('\n'), isOne ? shown[0] : { logs: shown });
}

function yamlText({ path, log }: NamedLog, version: YamlVersion): string {
  if (log.kind !== 'tcg') throw new UsageError(`${path}: --yaml is for firmware logs; this is another`);
  return formatTpm2Yaml(log, version);
}

/** What can be said against a log without knowing what it should be. */
function findingsOf(
  { log, path }: NamedLog,
  bank: TpmBank | undefined,
  described: readonly DescribedEvent[],
): LogFinding[] {
  const findings = replayFindings([log], { artefacts: [path], banks: bank === undefined ? [] : [bank] });
  const separators = log.kind === 'tcg' && !isTdxLog(log) ? checkSeparators(log, path) : [];
  // The trust of an event with a digest of this bank is by that digest.
  const trusts = described.map(({ trust }) => trust);
  return [...findings, ...separators, ...(bank === undefined ? [] : checkEventData(log, bank, path, trusts))];
}

function logDocument(named: NamedLog, wanted: TpmBank | undefined): object {
  const bank = wanted ?? bestBank(named.log);
  const described = describeLog(named.log, bank);
  return {
    ...headDocument(named, bank),
    events: described.map(eventDocument),
    findings: findingsOf(named, bank, described),
  };
}

function logText(named: NamedLog, wanted: TpmBank | undefined): string {
  const { path, log } = named;
  const bank = wanted ?? bestBank(log);
  const isTdx = isTdxLog(log);
  const name = isTdx ? `${KINDS[log.kind]} of a TDX guest` : KINDS[log.kind];
  const kind = 'format' in log ? `${name} (${log.format})` : name;
  const banks = log.kind === 'ima' ? '' : `, ${log.banks.map(formatBank).join(' ')}`;
  const described = describeLog(log, bank);
  const lines = [
    `${path}: ${kind}, ${log.events.length} events${banks}`,
    ...described.map((one) => eventText(one, bank, isTdx)),
    ...findingsOf(named, bank, described).map(findingText),
  ];
  return `${lines.map(printableLine).join('\n')}\n`;
}

const KINDS: Readonly<Record<NamedLog['log']['kind'], string>> = {
  tcg: 'firmware log',
  ima: 'IMA list',
  userspace: "systemd's userspace log",
  cel: 'canonical event log',
  drtm: 'log of a dynamic launch',
};

/** A line feed in a text of the log would look like another event. */
function printableLine(line: string): string {
  // Nearly all lines.
  if (/^[\x20-\x7e]*$/.test(line)) return line;
  return printable(line).replace(/[\n\t]/g, (c) => (c === '\n' ? '\\n' : '\\t'));
}

function eventText(
  { event, stage, trust, summary }: DescribedEvent,
  bank: TpmBank | undefined,
  isTdx: boolean,
): string {
  const digest = (bank === undefined ? undefined : digestOf(event, bank)) ?? event.digests[0]?.digest;
  const type = typeof event.type === 'number' ? `0x${event.type.toString(16)}` : event.type;
  const head = `${String(event.index).padStart(4)}  ${registerName(event, isTdx).padEnd(6)}  ${stage.padEnd(9)}  ${type}`;
  return `${head}  ${digest === undefined ? '-' : toHex(digest)}  ${trust}: ${summary}`;
}
