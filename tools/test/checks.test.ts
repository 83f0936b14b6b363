// SPDX-License-Identifier: Apache-2.0
// The checks that other programs make fail when they should: each fault alone in a made-up workspace.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
import { checkSteps } from '../check/steps.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SETTINGS = ['tsconfig.json', 'tsconfig.pure.json', 'biome.json', 'knip.json', '.gitignore'];
const SPDX = '// SPDX-License-Identifier: Apache-2.0\n';

const manifest = (dependencies: Record<string, string>): string =>
  JSON.stringify({
    name: '@vouchsafe/made-up',
    version: '1.0.0',
    type: 'module',
    exports: { '.': './src/index.ts', './node': './src/node/index.ts' },
    dependencies,
  });

const CLEAN: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'root', private: true, type: 'module', workspaces: ['packages/*'] }),
  'packages/made-up/package.json': manifest({ '@noble/hashes': '*' }),
  'packages/made-up/src/index.ts': `${SPDX}import '@noble/hashes/sha2.js';\n\nexport { one } from './one.ts';\n`,
  'packages/made-up/src/one.ts': `${SPDX}export const one = new TextEncoder().encode('1');\n`,
  'packages/made-up/src/node/index.ts': `${SPDX}export const here = process.cwd();\n`,
};

async function findingsOf(t: TestContext, step: string, changes: Readonly<Record<string, string>>): Promise<string> {
  const root = tempDir(t);
  for (const file of [...SETTINGS, 'tools/check/pure-globals.d.ts']) cpSync(join(ROOT, file), join(root, file));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const [path, text] of Object.entries({ ...CLEAN, ...changes })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const found = checkSteps(root).find(({ name }) => name === step);
  assert.ok(found !== undefined);
  return (await found.run()).join('\n');
}

const ONE = 'packages/made-up/src/one.ts';
const source = (text: string): Record<string, string> => ({ [ONE]: `${SPDX}${text}\n` });

for (const step of ['types', 'pure types', 'unused']) {
  test(`${step}: a workspace without a fault passes`, async (t) => {
    assert.equal(await findingsOf(t, step, {}), '');
  });
}

test('format, lint: a file without a fault passes', async (t) => {
  // The manifests that this test makes are not formatted.
  assert.doesNotMatch(await findingsOf(t, 'format, lint', {}), /one\.ts/);
});

const FAULTS: readonly [step: string, what: string, said: RegExp, changes: Readonly<Record<string, string>>][] = [
  ['types', 'a type error', /one\.ts.*TS2322/, source("export const one: number = '1';")],
  ['types', 'an unchecked index', /one\.ts.*TS2322/, source('const a = [1];\nexport const one: number = a[0];')],
  [
    'types',
    'syntax that cannot be stripped',
    /one\.ts.*TS1294/,
    source('export namespace one {\n  export const x = 1;\n}'),
  ],
  ['pure types', 'Buffer', /one\.ts.*Buffer/, source('export const one = Buffer.alloc(1);')],
  ['pure types', 'process', /one\.ts.*process/, source('export const one = process.argv;')],
  ['pure types', 'document', /one\.ts.*document/, source('export const one = document;')],
  ['pure types', 'node:fs', /one\.ts.*node:fs/, source("export { readFileSync as one } from 'node:fs';")],
  ['format, lint', 'format', /one\.ts format/, source('export const one = "1"')],
  ['format, lint', 'a default export', /noDefaultExport/, source('export default 1;')],
  ['format, lint', 'an enum', /noEnum/, source('export enum One {\n  A = 1,\n}')],
  ['format, lint', 'any', /noExplicitAny/, source('export const one: any = 1;')],
  ['format, lint', 'export *', /noReExportAll/, source("export * from './two.ts';")],
  ['format, lint', 'an unused variable', /noUnusedVariables/, source('const one = 1;')],
  [
    'unused',
    'a dependency that nothing imports',
    /Unused dependencies[\s\S]*fast-check/,
    {
      'packages/made-up/package.json': manifest({ '@noble/hashes': '*', 'fast-check': '*' }),
    },
  ],
  [
    'unused',
    'an import that no manifest lists',
    /Unlisted dependencies[\s\S]*fast-check/,
    source("import 'fast-check';\nexport const one = 1;"),
  ],
  [
    'unused',
    'a file that nothing imports',
    /Unused files[\s\S]*two\.ts/,
    { 'packages/made-up/src/two.ts': `${SPDX}export const two = 2;\n` },
  ],
  [
    'unused',
    'an export that nothing imports',
    /Unused exports[\s\S]*two/,
    source('export const one = 1;\nexport const two = 2;'),
  ],
  [
    'unused',
    'an exported type that nothing imports',
    /Unused exported types[\s\S]*Two/,
    source('export const one = 1;\nexport type Two = 2;'),
  ],
];

for (const [step, what, said, changes] of FAULTS) {
  test(`${step}: ${what} is found`, async (t) => {
    assert.match(await findingsOf(t, step, changes), said);
  });
}
