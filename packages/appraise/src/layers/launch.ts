// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import {
  type DrtmLog,
  decodeDrtmLog,
  digestOf,
  EventLogError,
  launchState,
  replayedPcr,
  replayLogs,
} from '@vouchsafe/eventlog';
import type { Evidence } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import type { PreparedReferences, UsedReference } from '../references/reference-set.ts';
import { logMalformed, type ReplayedBoot } from './replay-boot.ts';

export interface LaunchOutcome {
  readonly facts: Facts['launch'];
  readonly findings: readonly AppraisalFinding[];
  readonly used: readonly UsedReference[];
}

const LAUNCH_PCRS = [17, 18, 19, 20, 21, 22];
const ARTEFACT = 'launch log';

/**
 * A dynamic launch. PCR 17 says whether there was one: ones when not, and nothing that a log says stands against that (A44).
 * What was launched is known when every digest that the launch has extended is one of a reference's (A45).
 */
export function appraiseLaunch(boot: ReplayedBoot, evidence: Evidence, references: PreparedReferences): LaunchOutcome {
  const quoted = new Map(
    boot.quote.pcrs.filter(({ bank }) => bank === boot.bank).map(({ pcr, value }) => [pcr, value]),
  );
  const pcr17 = quoted.get(17);
  const { launch } = evidence.logs;
  const outcome = (state: Facts['launch']['state'], findings: AppraisalFinding[]): LaunchOutcome => ({
    facts: { state, isKnown: false, name: '' },
    findings,
    used: [],
  });
  if (pcr17 === undefined) {
    const hint = 'A launch log was sent, and PCR 17 is not under the quote; ask for PCR 17 to 22 in the challenge';
    return outcome('unquoted', launch === undefined ? [] : [finding('launch_unquoted', 'warning', hint)]);
  }
  const state = launchState(pcr17);
  if (state !== 'launched') {
    const hint = `The log tells of a dynamic launch, and PCR 17 of the quote shows ${state === 'none' ? 'none' : 'one that measured nothing'}`;
    const isClaimed = launch !== undefined && launch.length > 0;
    return outcome(state, isClaimed || state === 'reset' ? [finding('launch_claimed', 'error', hint)] : []);
  }
  if (launch === undefined) {
    const hint = 'There was a dynamic launch, and no log says of what; send the log of the launch';
    return outcome(state, [finding('launch_unlogged', 'warning', hint)]);
  }
  let log: DrtmLog;
  try {
    log = decodeDrtmLog(launch);
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    return outcome(state, [logMalformed(ARTEFACT, error)]);
  }
  const replay = replayLogs([log], { banks: [boot.bank] });
  const replayed = replay.banks.get(boot.bank);
  const different = LAUNCH_PCRS.flatMap((pcr): AppraisalFinding[] => {
    const value = quoted.get(pcr);
    const expected = replayed === undefined ? new Uint8Array() : replayedPcr(replay, replayed, pcr);
    if (value === undefined || bytesEqual(value, expected)) return [];
    const where = { artefact: ARTEFACT, pcr, bank: boot.bank };
    const hint = 'The log is not that of the quoted launch; send the one of this boot';
    return [{ code: 'pcr_mismatch', severity: 'error', where, expected: toHex(value), actual: toHex(expected), hint }];
  });
  const findings = [...replay.findings, ...different];
  if (findings.some(({ severity }) => severity === 'error')) return outcome(state, findings);
  return known(log, boot, references, findings);
}

function known(
  log: DrtmLog,
  { bank, quote }: ReplayedBoot,
  { launches }: PreparedReferences,
  findings: readonly AppraisalFinding[],
): LaunchOutcome {
  const digests = log.events
    .filter(({ pcr, type }) => LAUNCH_PCRS.includes(pcr) && type !== 'EV_NO_ACTION')
    .map((event) => `${event.pcr} ${toHex(digestOf(event, bank) ?? new Uint8Array())}`);
  const isQuoted = (pcr: number): boolean => quote.pcrs.some((value) => value.bank === bank && value.pcr === pcr);
  const found = launches.find(({ launch }) => {
    const good = new Set(
      launch.events.flatMap(({ pcr, digests: all }) => (all[bank] ?? []).map((hex) => `${pcr} ${hex}`)),
    );
    return digests.length > 0 && digests.every((digest) => good.has(digest));
  });
  if (found === undefined || !LAUNCH_PCRS.slice(0, 2).every(isQuoted)) {
    const hint = 'What was launched (SINIT, SKL or the kernel) is no reference’s; approve it, or quote PCR 17 and 18';
    const unknown = finding('launch_unknown', 'warning', hint);
    return { facts: { state: 'launched', isKnown: false, name: '' }, findings: [...findings, unknown], used: [] };
  }
  const { name, sha256 } = found;
  return { facts: { state: 'launched', isKnown: true, name }, findings, used: [{ name, sha256 }] };
}

function finding(
  code: AppraisalFinding['code'],
  severity: AppraisalFinding['severity'],
  hint: string,
): AppraisalFinding {
  return { code, severity, where: { artefact: ARTEFACT, pcr: 17 }, hint };
}
