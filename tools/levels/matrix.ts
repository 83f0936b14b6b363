// SPDX-License-Identifier: Apache-2.0
import type { LevelFinding } from './finding.ts';
import { MEMBER_LEVELS } from './members.ts';
import type { Tree } from './tree.ts';

/** A row of ARCHITECTURE.md's matrix: the level, then the member's folder as code. */
const ROW = /^\|\s*(\d+)\s*\|\s*`((?:packages|apps)\/[a-z0-9-]+|lab)`/;

/** Each member has a level, and ARCHITECTURE.md, when there is one, shows that level. */
export function checkMatrix(tree: Tree): LevelFinding[] {
  const unknown = tree.members
    .filter((member) => MEMBER_LEVELS[member.folder] === undefined)
    .map((member): LevelFinding => {
      const hint = 'give it a level in tools/levels/members.ts and a row in ARCHITECTURE.md';
      return { file: `${member.folder}/package.json`, line: 1, rule: 'unknown-member', hint };
    });
  return tree.architecture === undefined ? unknown : [...unknown, ...checkRows(tree, tree.architecture)];
}

function checkRows(tree: Tree, architecture: string): LevelFinding[] {
  const found = (line: number, hint: string): LevelFinding => ({ file: 'ARCHITECTURE.md', line, rule: 'matrix', hint });
  const findings: LevelFinding[] = [];
  const shown = new Set<string>();
  for (const [i, text] of architecture.split('\n').entries()) {
    const [, level, folder] = ROW.exec(text) ?? [];
    if (folder === undefined) continue;
    shown.add(folder);
    const expected = MEMBER_LEVELS[folder];
    if (expected === Number(level)) continue;
    findings.push(
      found(i + 1, `${folder} is at level ${level} here and at ${expected ?? 'none'} in tools/levels/members.ts`),
    );
  }
  const missing = tree.members.filter(({ folder }) => MEMBER_LEVELS[folder] !== undefined && !shown.has(folder));
  return [...findings, ...missing.map(({ folder }) => found(1, `the matrix has no row for ${folder}`))];
}
