// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { decodeEventData, decodeTcgLog, isPcrEvent, summaryOf } from '@vouchsafe/eventlog';
import type { Verdict } from '../verdict.ts';
import type { BaselineEvent, FirmwareBaseline } from './baseline.ts';

/**
 * The firmware's events of a boot that no baseline knew, as a baseline for machines of this model and firmware version, once
 * an operator has approved it. That they were measured, the verdict shows; that they are good, nobody knows.
 * @param verdict one that appraised the whole boot. @param firmwareLog the log that it is of.
 * @returns undefined where the log is not to be believed, or something in it is against the boot itself.
 * @throws {EventLogError} for a log that is malformed, and so is not the verdict's.
 */
export function learnBaseline(
  verdict: Pick<Verdict, 'facts' | 'events' | 'findings'>,
  firmwareLog: Uint8Array,
  about: Pick<FirmwareBaseline, 'name' | 'vendor' | 'model'>,
): FirmwareBaseline | undefined {
  const { facts, events: judged } = verdict;
  const ofMachine = judged.filter(({ judgement, log }) => judgement === 'machine' && log === 'firmware');
  if (!facts.log.isGood || ofMachine.length === 0 || isAgainst(verdict)) return undefined;
  const { events } = decodeTcgLog(firmwareLog);
  return {
    ...about,
    firmwareVersion: facts.firmware.version,
    events: ofMachine.flatMap(({ event = -1 }): BaselineEvent[] => {
      const real = events[event];
      if (real === undefined || !isPcrEvent(real)) return [];
      const digests = Object.fromEntries(real.digests.map(({ bank, digest }) => [String(bank), [toHex(digest)]]));
      return [{ pcr: real.pcr, description: summaryOf(real, decodeEventData(real)).slice(0, 200), digests }];
    }),
  };
}

/** What the policy says does not count here: it is refused because there is no baseline. */
function isAgainst({ findings }: Pick<Verdict, 'findings'>): boolean {
  return findings.some(({ severity, code }) => severity === 'error' && code !== 'policy_denied');
}
