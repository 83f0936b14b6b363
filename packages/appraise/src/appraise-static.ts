// SPDX-License-Identifier: Apache-2.0
import type { Replay } from '@vouchsafe/eventlog';
import type { VerifiedQuote } from '@vouchsafe/tpm';
import type { AppraisalInput } from './appraisal-input.ts';
import type { BootedImage, SettledBoot } from './boot-state.ts';
import type { Facts } from './facts.ts';
import type { AppraisalFinding } from './finding.ts';
import { appraiseFirmware } from './layers/firmware.ts';
import { appraiseImage } from './layers/image.ts';
import { appraiseLaunch } from './layers/launch.ts';
import { replayBoot } from './layers/replay-boot.ts';
import { appraiseSecureBoot } from './layers/secure-boot.ts';
import { appraiseSystem } from './layers/system.ts';
import { sha256OfText } from './references/prepare.ts';
import type { PreparedReferences, UsedReference } from './references/reference-set.ts';
import type { AppraisedEvent } from './verdict.ts';

/** What does not change for as long as the machine runs on. */
export interface StaticOutcome {
  /** Undefined when the logs do not lead to the quote. */
  readonly bank: 'sha256' | 'sha384' | 'sha512' | undefined;
  readonly facts: Partial<SettledBoot['facts']>;
  readonly findings: readonly AppraisalFinding[];
  readonly events: readonly AppraisedEvent[];
  readonly used: readonly UsedReference[];
  readonly image: BootedImage | undefined;
  readonly settled: SettledBoot | undefined;
  readonly atKernelStart: Replay | undefined;
}

/** Appraises a boot up to the start of its runtime, layer by layer, each on what the one before has shown to be measured. */
export function appraiseStatic(input: AppraisalInput, quote: VerifiedQuote, unknown: Facts): StaticOutcome {
  const { evidence, references, identity, nowMs, pinnedSystem } = input;
  const { boot, findings } = replayBoot(evidence, quote, references);
  if (boot === undefined) {
    return {
      ...{ bank: undefined, facts: {}, findings, events: [], used: [] },
      ...{ image: undefined, settled: undefined, atKernelStart: undefined },
    };
  }
  const image = appraiseImage(boot, references, unknown.image, nowMs);
  const match = image.match && { manifest: image.match.reference.manifest, boot: image.match.boot };
  const firmware = appraiseFirmware(boot, references, identity, match);
  const secureBoot = appraiseSecureBoot(boot, references, image.facts.isKnown ? (match?.boot.covers ?? []) : []);
  const system = appraiseSystem(boot, pinnedSystem);
  const launch = appraiseLaunch(boot, evidence, references);
  const facts = {
    log: { isGood: true },
    image: image.facts,
    firmware: firmware.facts,
    secureBoot: secureBoot.facts,
    system: system.facts,
    launch: launch.facts,
  };
  const all = [
    ...findings,
    ...image.findings,
    ...firmware.findings,
    ...secureBoot.findings,
    ...system.findings,
    ...launch.findings,
  ];
  const used = [...image.used, ...firmware.used, ...launch.used];
  const untilMs = untilOf(references, nowMs);
  return {
    bank: boot.bank as StaticOutcome['bank'],
    facts,
    findings: all,
    events: [...image.events, ...firmware.events].toSorted((a, b) => a.pcr - b.pcr),
    used,
    image: image.image,
    settled: {
      ...{ basis: basisOf(input), facts, findings: all.slice(0, MAX_SETTLED_FINDINGS), used },
      ...(untilMs === undefined ? {} : { untilMs }),
      ...(image.image === undefined ? {} : { image: image.image }),
    },
    atKernelStart: boot.atKernelStart,
  };
}

/** Digest of what a settled boot rests on beside the evidence. */
export function basisOf({ references, pinnedSystem, identity }: AppraisalInput): string {
  const { platformManufacturer, platformModel } = identity;
  return sha256OfText(JSON.stringify([references.sha256, pinnedSystem, platformManufacturer, platformModel]));
}

/** What is kept of a boot is bounded; a boot with more findings is refused by any of them. */
const MAX_SETTLED_FINDINGS = 256;

/** When the next image retires, and what was settled may no longer hold. */
function untilOf({ images }: PreparedReferences, nowMs: number): number | undefined {
  const times = images.flatMap(({ life }) => (life.state === 'retiring' && life.untilMs > nowMs ? [life.untilMs] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}
