// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { LevelFinding } from './finding.ts';
import { SQL_FOLDERS } from './members.ts';
import type { SourceFile, Tree } from './tree.ts';

const SPDX = /^(\/\/|#) SPDX-License-Identifier: Apache-2\.0$/;

/** `kebab-case.ts`, with the suffixes that say what kind of file it is. */
const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|slow\.test|d|bench|fuzz|config))?\.[a-z]+$/;

/** Beyond this a source file holds more than one idea. */
const MAX_LINES = 400;

/** The beginning of a statement, as SQL writes it. */
const SQL =
  /^\s*(select\s[\s\S]+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s+\S+\s*=|delete\s+from\s|(create|alter|drop)\s+(table|index|unique\s+index|view|trigger)\s|pragma\s+\w+)/i;

/** How files look: licence line, name, length, barrels, and SQL in one place. */
export function checkLayout(tree: Tree): LevelFinding[] {
  const files = [...tree.sources, ...tree.scripts];
  return [...files.flatMap(checkSpdx), ...tree.sources.flatMap(checkSource)];
}

function checkSpdx({ path, text }: { path: string; text: string }): LevelFinding[] {
  const [first = '', second = ''] = text.split('\n', 2);
  const line = first.startsWith('#!') ? second : first;
  if (SPDX.test(line)) return [];
  const mark = /\.[cm]?[jt]sx?$/.test(path) ? '//' : '#';
  return [{ file: path, line: 1, rule: 'spdx', hint: `begin with: ${mark} SPDX-License-Identifier: Apache-2.0` }];
}

function checkSource(file: SourceFile): LevelFinding[] {
  const findings: LevelFinding[] = [];
  const add = (line: number, rule: LevelFinding['rule'], hint: string): void => {
    findings.push({ file: file.path, line, rule, hint });
  };
  if (file.syntax.error !== undefined) add(1, 'unparsed', file.syntax.error);
  if (!FILE_NAME.test(basename(file.path))) add(1, 'file-name', 'name it in kebab-case, after its main export');
  const lines = file.text.split('\n').length - 1;
  const isTest = /\.test\.ts$/.test(file.path);
  if (!isTest && lines > MAX_LINES)
    add(MAX_LINES + 1, 'file-length', `${lines} lines, at most ${MAX_LINES}: split it by idea`);
  if (file.syntax.isBarrel && !isEntry(file)) {
    add(1, 'barrel', "only what the package's exports name may gather re-exports: import from where things are");
  }
  const isProduct = file.member !== undefined && file.inner.startsWith('src/');
  if (isProduct && !SQL_FOLDERS.some((folder) => file.path.startsWith(folder))) {
    for (const { text, line } of file.syntax.texts) {
      if (SQL.test(text))
        add(line, 'sql', `SQL is written in ${SQL_FOLDERS.join(' and ')} alone: add a method to the repository there`);
    }
  }
  return findings;
}

function isEntry(file: SourceFile): boolean {
  if (file.member === undefined) return file.path.startsWith('tools/testing/');
  return [...file.member.exports.values()].some((target) => target.all.includes(file.inner));
}
