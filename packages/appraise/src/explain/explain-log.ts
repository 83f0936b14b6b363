// SPDX-License-Identifier: Apache-2.0
import { type BootEvent, isPcrEvent, type LogEvent } from '@vouchsafe/eventlog';
import {
  type Bank,
  type BootCondition,
  bootsUnder,
  type Manifest,
  type ManifestBoot,
  ManifestError,
} from '@vouchsafe/manifest';
import { AppraiseError } from '../error.ts';
import { type EventReason, reasonsOf } from './event-reason.ts';
import { type JudgedBoot, type JudgedPlace, judgeBoot } from './judge-boot.ts';

/** What a log is explained by. */
export interface ExplainRequest {
  /** The images that the machine may have booted; the one that fits best is taken. */
  readonly manifests: readonly Manifest[];
  /** What is known of the machine; otherwise the condition that fits best is taken. */
  readonly condition?: Partial<BootCondition>;
  /** One that log and manifests have; the best of those unless given. */
  readonly bank?: Bank;
}

/** One event of a log, or one that should be there, with what it is put down to. */
export interface ExplainedEvent extends JudgedPlace {
  /** Of an unexpected or missing event: the nearest explanation. */
  readonly reason?: EventReason;
}

export interface LogExplanation {
  readonly manifest: Manifest;
  readonly boot: ManifestBoot;
  readonly bank: Bank;
  /** By PCR, each in the order of the log. */
  readonly events: readonly ExplainedEvent[];
  /** True when nothing is unexpected and nothing missing. What is the machine's own is not judged. */
  readonly isAsExpected: boolean;
}

/** Manifests that are compared with one log, and events that it may have: the work grows with both. */
const MAX_MANIFESTS = 64;
const MAX_EVENTS = 65_536;

/**
 * Lays a log beside what images put into PCRs, and says of each event where it comes from. A log is anybody's word until a
 * quote vouches for it: this explains, and decides nothing; `appraiseBoot` decides.
 * @param events of one boot, in their order; those of NV indices are passed over.
 * @throws {AppraiseError} 'manifest_missing' without a manifest, 'bank_unknown' when log and manifests have no bank in common,
 * 'limit'. @throws {ManifestError} 'condition_unknown' when no image boots so.
 */
export function explainLog(events: readonly LogEvent[], request: ExplainRequest): LogExplanation {
  const { manifests } = request;
  if (manifests.length === 0)
    throw new AppraiseError('manifest_missing', 'expected a manifest to explain the log by, found none');
  if (manifests.length > MAX_MANIFESTS || events.length > MAX_EVENTS) {
    const message = `expected at most ${MAX_MANIFESTS} manifests and ${MAX_EVENTS} events, found ${manifests.length} and ${events.length}`;
    throw new AppraiseError('limit', message);
  }
  const extended = events.filter((event): event is BootEvent => isPcrEvent(event) && event.type !== 'EV_NO_ACTION');
  const bank = bankOf(extended, request);
  const best = bestFit(extended, candidatesOf(request), bank);
  const reasons = reasonsOf(extended, best, manifests, bank);
  return {
    manifest: best.manifest,
    boot: best.boot,
    bank,
    events: best.places.map((place, i) => {
      const reason = reasons.get(i);
      return reason === undefined ? place : { ...place, reason };
    }),
    isAsExpected: best.misfits === 0,
  };
}

const PREFERENCE: readonly Bank[] = ['sha256', 'sha384', 'sha512', 'sha1'];

function bankOf(events: readonly BootEvent[], { manifests, bank }: ExplainRequest): Bank {
  const inLog = new Set(events.flatMap(({ digests }) => digests.map((entry) => entry.bank)));
  const usable = PREFERENCE.filter((name) => inLog.has(name) && manifests.some(({ banks }) => banks.includes(name)));
  const found = bank === undefined ? usable[0] : usable.find((name) => name === bank);
  if (found !== undefined) return found;
  const have = [...inLog].join(', ') || 'none';
  const message = `expected ${bank ?? 'a bank'} that log and manifests both have, found ${have} in the log, ${manifests.flatMap(({ banks }) => banks).join(', ')} in the manifests`;
  throw new AppraiseError('bank_unknown', message);
}

/** Every way in which one of the images boots, under the conditions that are known. */
function candidatesOf({ manifests, condition = {} }: ExplainRequest): [Manifest, ManifestBoot][] {
  const found: [Manifest, ManifestBoot][] = [];
  let failure: ManifestError | undefined;
  for (const manifest of manifests) {
    try {
      for (const boot of bootsUnder(manifest, condition)) found.push([manifest, boot]);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      failure = error;
    }
  }
  if (found.length === 0 && failure !== undefined) throw failure;
  return found;
}

/** The one with the fewest events too many or too few; of equals the first. */
function bestFit(
  events: readonly BootEvent[],
  candidates: readonly [Manifest, ManifestBoot][],
  bank: Bank,
): JudgedBoot {
  let best: JudgedBoot | undefined;
  for (const [manifest, boot] of candidates) {
    if (!manifest.banks.includes(bank)) continue;
    const judged = judgeBoot(events, manifest, boot, bank);
    if (best === undefined || judged.misfits < best.misfits) best = judged;
  }
  if (best === undefined)
    throw new AppraiseError('bank_unknown', `expected a manifest with digests in ${bank}, found none`);
  return best;
}
