// SPDX-License-Identifier: Apache-2.0
import type { Verb } from './verb.ts';

/** What can be asked for without loading the code behind it: its line in the overview, and how to get the rest. */
export interface VerbEntry {
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

export interface Noun {
  readonly summary: string;
  /** A command that works, for the usage. */
  readonly example: string;
  readonly verbs: Readonly<Record<string, VerbEntry>>;
}

export type Nouns = Readonly<Record<string, Noun | VerbEntry>>;
