// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** A test that says in its name which attacks it carries out. */
export interface AttackTest {
  readonly path: string;
  /** Without the numbers. What a template fills in is '…'. */
  readonly name: string;
  readonly numbers: readonly number[];
}

/** 'A12: …', 'A12, A20: …', 'A48 to A52: …', also behind what says which of several runs it is ('PostgreSQL: A12: …'). */
const NUMBERED = /^(?:(.*): )?(A[1-9][0-9]?(?:(?:, | and | to )A[1-9][0-9]?)*):? (.+)$/s;

/** The tests of all members that are named for attacks, in the order of their paths. */
export function readAttackTests(root: string): AttackTest[] {
  const paths = globSync(['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'lab/test/**/*.test.ts'], {
    cwd: root,
  });
  return paths.sort().flatMap((path) => {
    const source = readFileSync(join(root, path), 'utf8');
    return /\bA[1-9][0-9]?\b/.test(source) ? attackTests(path, source) : [];
  });
}

/** Only names of tests count: calls of `test` and `t.test`. A comment or a message carries nothing out. */
export function attackTests(path: string, source: string): AttackTest[] {
  const tests: AttackTest[] = [];
  new Visitor({
    CallExpression({ callee, arguments: [first] }) {
      const called =
        callee.type === 'MemberExpression' && callee.property.type === 'Identifier' ? callee.property : callee;
      if (called.type !== 'Identifier' || called.name !== 'test' || first === undefined) return;
      const text =
        first.type === 'Literal' && typeof first.value === 'string'
          ? first.value
          : first.type === 'TemplateLiteral'
            ? first.quasis.map(({ value }) => value.cooked ?? '').join('…')
            : '';
      const [, before, list, name] = NUMBERED.exec(text) ?? [];
      if (list === undefined || name === undefined) return;
      const which = before === undefined || before === '…' ? '' : `${before}: `;
      tests.push({ path, name: which + name, numbers: numbersOf(list) });
    },
  }).visit(parseSync(path, source).program);
  return tests;
}

function numbersOf(list: string): number[] {
  return list.split(/, | and /).flatMap((part) => {
    const [first = 0, last = first] = part.split(' to ').map((one) => Number(one.slice(1)));
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
