// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
import { attackTests } from '../docs/attack-tests.ts';
import { errorTables } from '../docs/error-page.ts';
import { checkPages, writePages } from '../docs/pages.ts';

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

const DECLARATION = `import { struct, u16be, u8 } from '@vouchsafe/codec';
/**
 * A made-up header. Made-up Specification 1.0, section 2.3.
 */
export const header = struct('MADE_UP_HEADER', { kind: [u8, 'what follows'], size: u16be });
/** Not a structure. */
export const other = 1;
`;
const ERRORS = `export type OneErrorCode =
  | 'first' // what it means, or not
  | 'second'
  | 'third'; // the last
export class OneError extends VouchsafeError<OneErrorCode> {}
export class TwoError extends VouchsafeError<'only'> {}
class NotOurs extends Error {}
`;
const PAGES = [{ page: 'made-up.md', title: 'Made up', about: 'What it holds.', folder: 'packages/a/src' }];
const ATTACKS = [
  { number: 1, what: 'the first' },
  { number: 2, what: 'the second', notYet: 'nothing takes it' },
];

function madeUpTree(t: TestContext): { root: string; write(path: string, text: string): void } {
  const root = tempDir(t);
  symlinkSync(NODE_MODULES, join(root, 'node_modules'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('packages/a/src/header.ts', DECLARATION);
  write('packages/a/src/error.ts', ERRORS);
  write('packages/a/test/one.test.ts', "test('A1: it is refused', () => {});");
  return { root, write };
}

test('a page shows each exported structure with its docstring and its table', async (t) => {
  const { root } = madeUpTree(t);
  assert.deepEqual((await writePages(root, PAGES, ATTACKS)).sort(), [
    'docs/errors.md',
    'docs/formats/made-up.md',
    'docs/security/attacks.md',
  ]);
  const page = readFileSync(join(root, 'docs/formats/made-up.md'), 'utf8');
  assert.match(page, /^# Made up\n/);
  assert.match(page, /## MADE_UP_HEADER\n\nA made-up header\. Made-up Specification 1\.0, section 2\.3\.\n/);
  assert.match(page, /\| 0 \| 1 \| `kind` \|.*what follows \|/);
  assert.doesNotMatch(page, /Not a structure/);
  assert.deepEqual(await checkPages(root, PAGES, ATTACKS), []);
  assert.deepEqual(await writePages(root, PAGES, ATTACKS), []);
});

test('a page that was edited, is missing or has no source is found, and mended', async (t) => {
  const { root, write } = madeUpTree(t);
  assert.equal((await checkPages(root, PAGES, ATTACKS)).length, 3);
  await writePages(root, PAGES, ATTACKS);
  write('docs/formats/made-up.md', 'edited');
  write('docs/formats/stray.md', 'nothing makes it');
  assert.deepEqual((await checkPages(root, PAGES, ATTACKS)).sort(), [
    'docs/formats/made-up.md: not what the sources say; run npm run docs',
    'docs/formats/stray.md: nothing makes this page; remove it',
  ]);
  await writePages(root, PAGES, ATTACKS);
  assert.deepEqual(await checkPages(root, PAGES, ATTACKS), []);
});

test('a change of a code or of a comment makes the errors page old', async (t) => {
  const { root, write } = madeUpTree(t);
  await writePages(root, PAGES, ATTACKS);
  write('packages/a/src/error.ts', ERRORS.replace('the last', 'the very last'));
  assert.deepEqual(await checkPages(root, PAGES, ATTACKS), [
    'docs/errors.md: not what the sources say; run npm run docs',
  ]);
});

test('error codes are read from unions and inline types, with the comment beside each', () => {
  assert.deepEqual(errorTables('packages/a/src/error.ts', ERRORS), [
    {
      name: 'OneError',
      member: 'packages/a',
      codes: [
        { code: 'first', meaning: 'what it means, or not' },
        { code: 'second', meaning: '' },
        { code: 'third', meaning: 'the last' },
      ],
    },
    { name: 'TwoError', member: 'packages/a', codes: [{ code: 'only', meaning: '' }] },
  ]);
});

test('an attack that no test is named for is found, and so is a number that is none', async (t) => {
  const { root, write } = madeUpTree(t);
  await writePages(root, PAGES, ATTACKS);
  const page = readFileSync(join(root, 'docs/security/attacks.md'), 'utf8');
  assert.match(
    page,
    /\| A1 \| the first \| \[a\/one\]\(\.\.\/\.\.\/packages\/a\/test\/one\.test\.ts\): it is refused \|/,
  );
  assert.match(page, /\| A2 \| the second \| not yet: nothing takes it \|/);
  write('packages/a/test/one.test.ts', "// A1\ntest('it is refused', () => assert.ok(true, 'A1: no name'));");
  const missing = await checkPages(root, PAGES, ATTACKS);
  assert.deepEqual(missing, [
    "A1 (the first): no test carries it out; name one 'A1: …'",
    'docs/security/attacks.md: not what the sources say; run npm run docs',
  ]);
  write('packages/a/test/one.test.ts', "test('A1 to A3: they are refused', () => {});");
  const findings = (await checkPages(root, PAGES, ATTACKS)).slice(0, 2);
  assert.deepEqual(findings, [
    'A2: a test carries it out; remove its reason in tools/docs/attacks.ts',
    "packages/a/test/one.test.ts: 'they are refused' is for an attack that tools/docs/attacks.ts does not have",
  ]);
});

test('numbers are read from the names of tests alone, one, several or a range', () => {
  const source = `test('A1: one', f);
    await t.test(\`A2, A3 and A5 to A7: of \${what}\`, f);
    for (const name of names) test(\`\${name}: A8: where\`, f);
    test('SQLite: A9 without a colon', f);
    // A10
    run('A11: not a test'); test('a table of A12', f);`;
  assert.deepEqual(
    attackTests('a.test.ts', source).map(({ numbers, name }) => ({ numbers, name })),
    [
      { numbers: [1], name: 'one' },
      { numbers: [2, 3, 5, 6, 7], name: 'of …' },
      { numbers: [8], name: 'where' },
      { numbers: [9], name: 'SQLite: without a colon' },
    ],
  );
});
