// SPDX-License-Identifier: Apache-2.0
import type { TpmBank } from '@vouchsafe/tpm';
import type { Replay } from '../replay/replay.ts';
import { type ReplayOptions, replayLogs } from '../replay/replay-logs.ts';
import type { TcgLog } from './log.ts';

export interface TcgReplayOptions extends Omit<ReplayOptions, 'artefacts'> {
  /** What to call the log in findings. */
  readonly artefact?: string;
}

/**
 * Replays a firmware log alone: as `replayLogs`, but a bank that one extended event has no digest of is not replayed at
 * all, as a firmware that forgot one may have forgotten others.
 */
export function replayTcgLog(log: TcgLog, options: TcgReplayOptions = {}): Replay {
  const { artefact, ...rest } = options;
  const replay = replayLogs([log], { ...rest, ...(artefact === undefined ? {} : { artefacts: [artefact] }) });
  const isWhole = (bank: TpmBank): boolean => replay.banks.get(bank)?.unknown.size === 0;
  // One finding for the bank, not one for each PCR.
  const reported = new Set<string>();
  const findings = replay.findings.filter(({ code, where }) => {
    if (code !== 'bank_incomplete') return true;
    const isFirst = !reported.has(where.bank ?? '');
    reported.add(where.bank ?? '');
    return isFirst;
  });
  return { ...replay, banks: new Map([...replay.banks].filter(([bank]) => isWhole(bank))), findings };
}
