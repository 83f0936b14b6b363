// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
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

function madeUpTree(t: TestContext): { root: string; write(path: string, text: string): void } {
  const root = tempDir(t);
  symlinkSync(NODE_MODULES, join(root, 'node_modules'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('packages/a/src/header.ts', DECLARATION);
  write('packages/a/src/error.ts', ERRORS);
  return { root, write };
}

test('a page shows each exported structure with its docstring and its table', async (t) => {
  const { root } = madeUpTree(t);
  assert.deepEqual((await writePages(root, PAGES)).sort(), ['docs/errors.md', 'docs/formats/made-up.md']);
  const page = readFileSync(join(root, 'docs/formats/made-up.md'), 'utf8');
  assert.match(page, /^# Made up\n/);
  assert.match(page, /## MADE_UP_HEADER\n\nA made-up header\. Made-up Specification 1\.0, section 2\.3\.\n/);
  assert.match(page, /\| 0 \| 1 \| `kind` \|.*what follows \|/);
  assert.doesNotMatch(page, /Not a structure/);
  assert.deepEqual(await checkPages(root, PAGES), []);
  assert.deepEqual(await writePages(root, PAGES), []);
});

test('a page that was edited, is missing or has no source is found, and mended', async (t) => {
  const { root, write } = madeUpTree(t);
  assert.equal((await checkPages(root, PAGES)).length, 2);
  await writePages(root, PAGES);
  write('docs/formats/made-up.md', 'edited');
  write('docs/formats/stray.md', 'nothing makes it');
  assert.deepEqual((await checkPages(root, PAGES)).sort(), [
    'docs/formats/made-up.md: not what the sources say; run npm run docs',
    'docs/formats/stray.md: nothing makes this page; remove it',
  ]);
  await writePages(root, PAGES);
  assert.deepEqual(await checkPages(root, PAGES), []);
});

test('a change of a code or of a comment makes the errors page old', async (t) => {
  const { root, write } = madeUpTree(t);
  await writePages(root, PAGES);
  write('packages/a/src/error.ts', ERRORS.replace('the last', 'the very last'));
  assert.deepEqual(await checkPages(root, PAGES), ['docs/errors.md: not what the sources say; run npm run docs']);
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
