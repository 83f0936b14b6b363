// SPDX-License-Identifier: Apache-2.0
/** What a benchmark file, packages/x/bench/*.ts, exports as `bench`. The guide is tools/bench/README.md. */

export interface Bench {
  /** As given to `npm run bench -- NAME`; one name, one file. */
  readonly name: string;
  /** What is compared, in a sentence. */
  readonly description: string;
  /** The cases, or what makes them: files to read, for example, in a folder that goes when the benchmark ends. */
  readonly cases:
    | readonly BenchCase[]
    | ((context: BenchContext) => readonly BenchCase[] | Promise<readonly BenchCase[]>);
}

export interface BenchContext {
  /** An empty folder for inputs and outputs. */
  readonly dir: string;
  /** True for a first look: make the inputs small. */
  readonly isQuick: boolean;
}

/** One thing done by us and, where there is one, by the field's tool. */
export interface BenchCase {
  readonly name: string;
  readonly ours: BenchSide;
  readonly peer?: BenchSide;
  readonly goals?: readonly BenchGoal[];
}

/** What we want of a case: how we stand beside the peer, or how much memory we take. */
export type BenchGoal =
  | {
      readonly time: 'cpuMs' | 'wallMs';
      readonly statistic: 'minimum' | 'median';
      /** The ratio, peer to ours: above 1 we are the faster. */
      readonly atLeast: number;
    }
  | {
      readonly time: 'cpuMs' | 'wallMs';
      readonly statistic: 'minimum' | 'median';
      /** Milliseconds that we may take more than the peer. */
      readonly atMostMoreMs: number;
    }
  | { /** Of our command, in MiB. */ readonly peakMibAtMost: number };

export type BenchSide = BenchCommand | BenchFunction | BenchTool;

/** A command, timed as a process from start to end; it must end with code 0. */
export interface BenchCommand {
  readonly kind: 'command';
  readonly label: string;
  /** The program is looked for on PATH, then in sbin. */
  readonly argv: readonly string[];
}

/** A function in this process, called in batches; the times are those of one call. */
export interface BenchFunction {
  readonly kind: 'function';
  readonly label: string;
  run(): unknown;
}

/** A command that measures itself, as `openssl speed` does. */
export interface BenchTool {
  readonly kind: 'tool';
  readonly label: string;
  readonly argv: readonly string[];
  /** Reads the times of one operation from the command's standard output. */
  parse(stdout: string): Measure;
}

/** One measurement. What a side cannot tell is left out, and so are the ratios of it. */
export interface Measure {
  readonly cpuMs?: number;
  readonly wallMs?: number;
  /** Largest resident memory of the process, in KiB. */
  readonly peakKib?: number;
}

/** A benchmark that measures by itself what no pair of commands can: a service under load. It is exported as `bench` too. */
export interface Survey {
  readonly name: string;
  readonly description: string;
  survey(context: SurveyContext): Promise<readonly SurveyRow[]>;
}

export interface SurveyContext extends BenchContext {
  /** Rows whose name has this in it; all when left out. */
  readonly only: string | undefined;
  /** Where V8's profiles of what is measured go. */
  readonly profileDir: string | undefined;
  /** Called before each row. */
  onCase(name: string): void;
}

export interface SurveyRow {
  readonly name: string;
  /** Units are in the names. */
  readonly values: Readonly<Record<string, number | null>>;
  readonly goals?: readonly { readonly text: string; readonly isMet: boolean }[];
}
