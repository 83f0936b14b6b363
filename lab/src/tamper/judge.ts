// SPDX-License-Identifier: Apache-2.0
import { type EventReasonCode, explainLog } from '@vouchsafe/appraise';
import { parseHex } from '@vouchsafe/base';
import { comparePcrs, decodeTcgLog, replayLogs } from '@vouchsafe/eventlog';
import type { Manifest } from '@vouchsafe/manifest';
import type { PcrValue } from '@vouchsafe/tpm';
import type { BootResult } from '../machine/machine.ts';
import type { Expectation, SecureBoot } from './tamper-case.ts';

/** What became of a machine that was tampered with, beside what was expected. */
export interface TamperVerdict {
  readonly isAsExpected: boolean;
  /** For people. */
  readonly found: string;
}

/** What a guest of the lab hands out of its TPM and its logs. */
export interface GuestReport {
  readonly log: Uint8Array;
  readonly pcrs: readonly PcrValue[];
}

/** "sha256 4 HEX" lines, as lab/guest/report.sh writes them. */
export function guestReport({ results }: BootResult): GuestReport | undefined {
  const [log, pcrs] = [results.get('firmware.log'), results.get('pcrs')];
  if (log === undefined || pcrs === undefined) return undefined;
  const values = Buffer.from(pcrs)
    .toString('latin1')
    .split('\n')
    .flatMap((line): PcrValue[] => {
      const [, bank, pcr, value = ''] = /^(sha1|sha256|sha384) ([0-9]+) ([0-9A-Fa-f]+)$/.exec(line) ?? [];
      if (bank === undefined) return [];
      return [{ bank: bank as 'sha1' | 'sha256' | 'sha384', pcr: Number(pcr), value: parseHex(value.toLowerCase()) }];
    });
  return { log, pcrs: values };
}

/** PCRs that something other than firmware, stub and kernel extends as the system runs: IMA, and systemd's phases. */
const EXTENDED_LATER: readonly number[] = [10, 11];

/** PCRs of which the TPM holds what no event of the firmware's log leads to. */
export function unloggedPcrs({ log, pcrs }: GuestReport): number[] {
  const logs = [decodeTcgLog(log)];
  return comparePcrs(replayLogs(logs), logs, pcrs)
    .filter(
      ({ pcr, result }) => pcr < 16 && !EXTENDED_LATER.includes(pcr) && result !== 'equal' && result !== 'not_in_bank',
    )
    .map(({ pcr }) => pcr);
}

/**
 * @param manifests of the image before it was tampered with, and of others that may have been put in its place; needed for
 * what is to be visible in the log.
 */
export function judgeTampering(
  boot: BootResult,
  expected: readonly Expectation[],
  manifests: readonly Manifest[],
  secureBoot: SecureBoot,
): TamperVerdict {
  const refused = expected.find((one) => one.kind === 'refused');
  if (refused !== undefined) return { isAsExpected: refused.by.includes(boot.outcome), found: boot.outcome };
  const statuses = expected.flatMap((one) => (one.kind === 'orders' ? one.statuses : []));
  if (statuses.length > 0) return judgeOrders(boot, statuses);
  const report = boot.outcome === 'reported' ? guestReport(boot) : undefined;
  if (report === undefined) return { isAsExpected: false, found: boot.outcome };
  if (expected.some(({ kind }) => kind === 'older')) return judgeVersion(report, manifests);
  const unlogged = unloggedPcrs(report);
  const reasons = reasonsIn(report, manifests.slice(0, 1), secureBoot);
  const pcrs = expected.flatMap((one) => (one.kind === 'unlogged' ? [one.pcr] : []));
  const wanted = expected.flatMap((one) => (one.kind === 'visible' ? one.reasons : []));
  return {
    isAsExpected: isSame(unlogged, pcrs) && isSame(reasons, wanted),
    found: [
      reasons.length === 0
        ? 'reported; every event is expected'
        : `reported; unexpected in the log: ${reasons.join(', ')}`,
      ...(unlogged.length === 0 ? [] : [`the TPM holds what no log leads to, in PCR ${unlogged.join(', ')}`]),
    ].join('; '),
  };
}

/** Why events of the log are not expected, each reason once. */
function reasonsIn({ log }: GuestReport, manifests: readonly Manifest[], secureBoot: SecureBoot): EventReasonCode[] {
  const explained = explainLog(decodeTcgLog(log).events, { manifests, condition: { secureBoot } });
  const codes = explained.events.flatMap(({ judgement, reason }) =>
    judgement === 'unexpected' && reason !== undefined ? [reason.code] : [],
  );
  return [...new Set(codes)];
}

/** Whether the log is wholly that of another version than the first. */
function judgeVersion({ log }: GuestReport, manifests: readonly Manifest[]): TamperVerdict {
  const { manifest, isAsExpected } = explainLog(decodeTcgLog(log).events, { manifests });
  return {
    isAsExpected: isAsExpected && manifest !== manifests[0],
    found: `reported; ${isAsExpected ? 'as' : 'nearest to how'} ${manifest.name} ${manifest.version} boots`,
  };
}

function judgeOrders(boot: BootResult, statuses: readonly number[]): TamperVerdict {
  const lines = Buffer.from(boot.results.get('orders') ?? [])
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
  const found = lines.map((line) => Number(line.split(' ')[0]));
  const isAsExpected = found.length === statuses.length && found.every((status, i) => status === statuses[i]);
  return {
    isAsExpected,
    found: lines.length === 0 ? `${boot.outcome}; it took no orders` : `orders: ${lines.join('; ')}`,
  };
}

const isSame = <T>(found: readonly T[], wanted: readonly T[]): boolean =>
  found.every((one) => wanted.includes(one)) && wanted.every((one) => found.includes(one));
