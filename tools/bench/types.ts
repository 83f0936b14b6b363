// SPDX-License-Identifier: Apache-2.0
/** The document that `npm run --silent bench -- NAME --json` prints. */

export interface BenchDocument {
  readonly bench: string;
  readonly description: string;
  /** Counted runs of each side, ours and the peer's in turns; one more, before them, is not counted. */
  readonly runs: number;
  readonly isQuick: boolean;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    /** `linux x64` */
    readonly platform: string;
    readonly node: string;
  };
  readonly cases: readonly CaseResult[];
}

export interface CaseResult {
  readonly name: string;
  readonly ours: SideResult;
  /** Null when the case has no peer, or its tool is missing. */
  readonly peer: SideResult | null;
  /** The peer's tool, when it is not on this machine. */
  readonly missingTool?: string;
  /** Peer to ours, so that above 1 we are the faster; null without the times of both. */
  readonly ratios: { readonly cpuMs: Statistics | null; readonly wallMs: Statistics | null } | null;
  readonly goals: readonly GoalResult[];
}

export interface GoalResult {
  readonly text: string;
  /** What was measured of it; null when a side is missing. */
  readonly actual: number | null;
  readonly isMet: boolean | null;
}

/** One side's times: of the whole command, or of one call. */
export interface SideResult {
  readonly label: string;
  readonly cpuMs: Statistics | null;
  readonly wallMs: Statistics | null;
  /** The largest of all runs, in KiB; null for functions. */
  readonly peakKib: number | null;
}

export interface Statistics {
  readonly minimum: number;
  readonly median: number;
}
