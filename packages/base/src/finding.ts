// SPDX-License-Identifier: Apache-2.0

/** Where a finding was made; only what applies is present. */
export interface FindingPlace {
  /** The file, partition, section or log it concerns, as the user knows it. */
  readonly artefact: string;
  readonly pcr?: number;
  readonly bank?: string;
  /** Index of the event in its log, from 0. */
  readonly event?: number;
  /** Path of a field inside a structure. */
  readonly path?: string;
  /** Octets from the start of the artefact. */
  readonly offset?: number;
  /** Number of the first block, from 0. */
  readonly block?: number;
  /** How many blocks from that one on. */
  readonly blocks?: number;
}

/** Something a check found. A check collects all of them; one finding never hides another. */
export interface Finding<Code extends string = string> {
  readonly code: Code;
  readonly severity: 'error' | 'warning' | 'info';
  readonly where: FindingPlace;
  readonly expected?: string;
  readonly actual?: string;
  /** What it means and what to do next, in the user's words. */
  readonly hint: string;
}
