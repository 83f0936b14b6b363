// SPDX-License-Identifier: Apache-2.0
import { checkCircles } from './circles.ts';
import type { LevelFinding } from './finding.ts';
import { checkImports } from './imports.ts';
import { checkLayout } from './layout.ts';
import { checkMatrix } from './matrix.ts';
import { checkPurity } from './purity.ts';
import { readTree } from './tree.ts';

/** Holds the tree under `root` to the rules of ARCHITECTURE.md that the compiler and the linter do not know. */
export function checkLevels(root: string): LevelFinding[] {
  const tree = readTree(root);
  const findings = [checkMatrix, checkImports, checkCircles, checkPurity, checkLayout].flatMap((check) => check(tree));
  return findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}
