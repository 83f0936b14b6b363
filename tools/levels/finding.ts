// SPDX-License-Identifier: Apache-2.0

/** A broken rule, with what to do about it. */
export interface LevelFinding {
  /** From the root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly rule: LevelRule;
  readonly hint: string;
}

export type LevelRule =
  | 'unparsed' // the file is not TypeScript
  | 'unknown-member' // a member without a level
  | 'matrix' // ARCHITECTURE.md and the table of levels differ
  | 'level' // an import that does not go down
  | 'app-imports-app'
  | 'sees-only' // an import outside the few members that this one may see
  | 'undeclared' // an import that the manifest does not list
  | 'test-dependency' // sources that import what only tests have
  | 'outside-member' // a relative path that leaves the member
  | 'not-exported' // an entry that the other package's exports do not have
  | 'own-name' // sources that import their own package by name
  | 'computed-import' // an import whose target cannot be read
  | 'circle' // files that import each other
  | 'pure-import' // a pure file that imports what is not pure
  | 'pure-global' // a pure file that uses something of its runtime
  | 'crypto' // cryptography of the runtime outside its one package
  | 'sql' // SQL outside the store
  | 'spdx' // no licence line
  | 'file-name' // not kebab-case
  | 'file-length' // too long to hold one idea
  | 'barrel'; // re-exports alone, and no entry of the package

export function formatLevelFinding({ file, line, rule, hint }: LevelFinding): string {
  return `${file}:${line}  ${rule}  ${hint}`;
}
