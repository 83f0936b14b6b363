// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

/** An assignment of a definition file. */
export interface DefinitionLine {
  readonly key: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

const MAX_FILE_CHARACTERS = 1024 * 1024;
const MAX_LINES = 10_000;

/**
 * The assignments of the one section that a file may have: comments begin with # or ;, and \ at its end joins a line with
 * the next. systemd.syntax(7).
 * @param name of the file, for messages.
 * @throws {DiskError} 'definition_invalid' for a line that is none of this, another section, or a file without the section.
 */
export function definitionLines(text: string, section: string, name: string): readonly DefinitionLine[] {
  if (text.length > MAX_FILE_CHARACTERS) throw invalid(name, 0, `expected at most ${MAX_FILE_CHARACTERS} characters`);
  const lines: DefinitionLine[] = [];
  let current: string | undefined;
  for (const { content, line } of logicalLines(text)) {
    const header = /^\[([^\]]*)\]$/.exec(content);
    if (header !== null) {
      current = header[1] as string;
      if (current !== section) throw invalid(name, line, `expected section [${section}], found [${current}]`);
      continue;
    }
    const assignment = /^([A-Za-z0-9]+)\s*=\s*(.*)$/s.exec(content);
    if (assignment === null) throw invalid(name, line, `expected NAME=VALUE, found ${JSON.stringify(content)}`);
    if (current === undefined) throw invalid(name, line, `expected [${section}] before the first assignment`);
    lines.push({ key: assignment[1] as string, value: assignment[2] as string, line });
    if (lines.length > MAX_LINES) throw invalid(name, line, `expected at most ${MAX_LINES} assignments`);
  }
  if (current === undefined) throw invalid(name, 0, `expected section [${section}], found none`);
  return lines;
}

/** Lines without white space around them, joined where they are continued; comments inside a continued line drop out. */
function* logicalLines(text: string): Generator<{ readonly content: string; readonly line: number }> {
  let joined: string | undefined;
  let first = 0;
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (/^[#;]/.test(line) || (line === '' && joined === undefined)) continue;
    if (joined === undefined) first = i + 1;
    const isContinued = line.endsWith('\\');
    joined = `${joined === undefined ? '' : `${joined} `}${isContinued ? line.slice(0, -1).trimEnd() : line}`;
    if (isContinued) continue;
    yield { content: joined.trim(), line: first };
    joined = undefined;
  }
  if (joined !== undefined) yield { content: joined.trim(), line: first };
}

export function invalid(name: string, line: number, problem: string, options?: ErrorOptions): DiskError {
  const place = line === 0 ? name : `${name}, line ${line}`;
  return new DiskError('definition_invalid', `${place}: ${problem}`, options);
}
