// SPDX-License-Identifier: Apache-2.0
import { type ChangedPcr, explainPcrChanges, type PcrChange, sealedValuesIn } from '@vouchsafe/appraise';
import { type Finding, toHex } from '@vouchsafe/base';
import type { BootLog } from '@vouchsafe/eventlog';
import type { Bank } from '@vouchsafe/manifest';
import {
  changedPcrs,
  formatBank,
  type PcrlockPolicy,
  type PcrSelection,
  type PcrValue,
  pcrlockFindings,
  readPcrs,
  type SealedObject,
  type SealFindingCode,
  type TpmError,
  type TpmTransport,
} from '@vouchsafe/tpm';
import { EXIT } from '../exit-code.ts';
import { changeDocument, changeText } from '../log/diff.ts';
import { explainedDocument, explainedLine } from '../log/explanation-text.ts';
import { readLog } from '../log/read-log.ts';
import { readManifestFile } from '../manifest-file.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { SealedInput } from './sealed-input.ts';

/** Where to look for the event that keeps a secret shut. */
export interface FailureOptions {
  readonly log?: readonly string[];
  readonly sealedLog?: readonly string[];
  readonly manifest?: readonly string[];
  readonly key?: readonly string[];
}

/** Answers that are no, and not that something is broken. */
export const REFUSALS: ReadonlySet<string> = new Set([
  'policy_failed',
  'policy_unsigned',
  'policy_unsupported',
  'auth_failed',
  'auth_locked',
  'object_foreign',
]);

/**
 * Says why a secret does not open: which PCR has another value than it was sealed to, and by the logs which event. Values that
 * the file does not hold are those that the logs of then lead to, where the policy is over these.
 */
export async function explainFailure(
  session: Session,
  tpm: TpmTransport,
  error: TpmError,
  { shards, sealedTo }: SealedInput,
  pcrlock: PcrlockPolicy | undefined,
  options: FailureOptions,
): Promise<void> {
  session.exitCode = EXIT.no;
  const note = (text: string): void => session.note(text);
  const logsIn = (paths: readonly string[] = []): BootLog[] => paths.map((path) => readLog(path, [], note).log);
  const isAboutPcrs = error.code === 'policy_failed';
  const sealedLogs = logsIn(options.sealedLog);
  const known = !isAboutPcrs ? [] : sealedTo.length > 0 ? sealedTo : (sealedBy(shards, sealedLogs) ?? []);
  if (isAboutPcrs && known.length === 0 && options.sealedLog !== undefined) {
    note('--sealed-log leads to other values than it was sealed to, or it is not sealed to PCRs');
  }
  const locked = isAboutPcrs && shards.some(({ policy }) => policy.pcrlock !== undefined) ? pcrlock : undefined;
  const now = await valuesNow(tpm, known, locked);
  const findings = [...changedPcrs(known, now), ...(locked === undefined ? [] : pcrlockFindings(locked, now))];
  const changed = known.flatMap(({ bank, pcr, value }): ChangedPcr[] => {
    const isChanged = findings.some(
      ({ code, where }) => code === 'seal_pcr_changed' && where.pcr === pcr && where.bank === formatBank(bank),
    );
    const current = now.find((other) => other.bank === bank && other.pcr === pcr);
    return isChanged && current !== undefined ? [{ bank, pcr, sealedTo: value, now: current.value }] : [];
  });
  const manifests = (options.manifest ?? []).map((path) => readManifestFile(session, path, options.key ?? []).manifest);
  const evidence = { logs: logsIn(options.log), manifests, ...(sealedLogs.length === 0 ? {} : { sealedLogs }) };
  const blamed = options.log === undefined ? [] : explainPcrChanges(changed, evidence);
  note([`it does not open: ${error.message}`, ...findings.map((finding) => findingText(finding, blamed))].join('\n'));
  if (!session.isJson) return;
  const { code, message } = error;
  session.answer('', { error: { code, message }, findings, changes: blamed.map(blamedDocument) });
}

/** Every shard has the same PCRs. */
function sealedBy([shard]: readonly SealedObject[], logs: readonly BootLog[]): readonly PcrValue[] | undefined {
  return shard === undefined || logs.length === 0 ? undefined : sealedValuesIn(shard, logs);
}

async function valuesNow(
  tpm: TpmTransport,
  known: readonly PcrValue[],
  locked: PcrlockPolicy | undefined,
): Promise<readonly PcrValue[]> {
  const wanted = [
    ...known,
    ...(locked?.allowed ?? []).map(({ pcr }) => ({ bank: (locked as PcrlockPolicy).bank, pcr })),
  ];
  const selection = [...new Set(wanted.map(({ bank }) => bank))].map(
    (bank): PcrSelection => ({
      bank,
      pcrs: [...new Set(wanted.flatMap((one) => (one.bank === bank ? [one.pcr] : [])))],
    }),
  );
  return selection.length === 0 ? [] : (await readPcrs(tpm, selection)).values;
}

function findingText(
  { hint, where, expected, actual }: Finding<SealFindingCode>,
  blamed: readonly PcrChange[],
): string {
  const change = blamed.find(({ bank, pcr }) => pcr === where.pcr && formatBank(bank) === where.bank);
  return printable(
    [
      `  ${hint}`,
      `    sealed to ${expected}`,
      `    now       ${actual ?? '-'}`,
      ...(change === undefined ? [] : blamedLines(change).map((line) => `    ${line}`)),
    ].join('\n'),
  );
}

function blamedLines({ bank, isNowReplayed, isSealedReplayed, changes, misfits }: PcrChange): string[] {
  const lines = [
    ...changes.map((change) => changeText(change, bank).replaceAll('\n', '\n    ')),
    ...misfits.map((event) => explainedLine(event, formatBank(bank) as Bank)),
  ];
  return [
    ...(isNowReplayed ? [] : ['the log does not lead to this value: something was extended that it does not have']),
    ...(isSealedReplayed === false ? ['the log of the sealing does not lead to the value that it was sealed to'] : []),
    ...(lines.length === 0 ? ['no event of the log says why'] : lines),
  ];
}

function blamedDocument({
  bank,
  pcr,
  sealedTo,
  now,
  isNowReplayed,
  isSealedReplayed,
  changes,
  misfits,
}: PcrChange): object {
  return {
    bank: formatBank(bank),
    pcr,
    sealedTo: toHex(sealedTo),
    now: toHex(now),
    isNowReplayed,
    ...(isSealedReplayed === undefined ? {} : { isSealedReplayed }),
    changes: changes.map(changeDocument),
    misfits: misfits.map((event) => explainedDocument(event, formatBank(bank) as Bank)),
  };
}
