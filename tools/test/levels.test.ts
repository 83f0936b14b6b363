// SPDX-License-Identifier: Apache-2.0
// Each rule is broken on purpose in a made-up tree; the same tree without the fault is clean.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
import { checkLevels } from '../levels/check-levels.ts';
import { formatLevelFinding, type LevelRule } from '../levels/finding.ts';

const SPDX = '// SPDX-License-Identifier: Apache-2.0\n';

type Files = Readonly<Record<string, string>>;

const WITH_NODE = { '.': './src/index.ts', './node': './src/node/index.ts' };

const manifest = (name: string, dependencies: string[] = [], exports: object = { '.': './src/index.ts' }): string =>
  JSON.stringify({ name, exports, dependencies: Object.fromEntries(dependencies.map((d) => [d, '1.0.0'])) });

/** A small workspace that breaks no rule. */
const CLEAN: Files = {
  'package.json': JSON.stringify({ devDependencies: { 'fast-check': '4', '@vouchsafe/testing': '1' } }),
  'packages/base/package.json': manifest('@vouchsafe/base'),
  'packages/base/src/index.ts': `${SPDX}export { one } from './one.ts';\n`,
  'packages/base/src/one.ts': `${SPDX}export const one = new Date(0).getTime() + Math.max(1, 2);\n`,
  'packages/base/test/one.test.ts': `${SPDX}import 'node:test';\nimport 'fast-check';\nimport '@vouchsafe/base';\n`,
  'packages/bytes/package.json': manifest('@vouchsafe/bytes', ['@vouchsafe/base'], WITH_NODE),
  'packages/bytes/src/index.ts': `${SPDX}export { two } from './two.ts';\n`,
  'packages/bytes/src/two.ts': `${SPDX}import { one } from '@vouchsafe/base';\nexport const two = one + 1;\n`,
  'packages/bytes/src/node/index.ts': `${SPDX}import fs from 'node:fs';\nimport { two } from '../two.ts';\nexport const x = [fs, two];\n`,
  'packages/crypto/package.json': manifest('@vouchsafe/crypto', ['@noble/hashes'], {
    '.': { browser: './src/browser/index.ts', default: './src/node/index.ts' },
  }),
  'packages/crypto/src/browser/index.ts': `${SPDX}export { sha256 } from '@noble/hashes/sha2.js';\n`,
  'packages/crypto/src/node/index.ts': `${SPDX}import { hash } from 'node:crypto';\nexport const sha256 = hash;\n`,
  'packages/verity/package.json': manifest('@vouchsafe/verity', ['@vouchsafe/bytes', '@vouchsafe/crypto']),
  'packages/verity/src/index.ts': `${SPDX}import { two } from '@vouchsafe/bytes';\nimport '@vouchsafe/crypto';\nexport const three = two;\n`,
  'apps/cli/package.json': manifest('@vouchsafe/cli', [
    '@vouchsafe/verity',
    '@vouchsafe/server',
    '@vouchsafe/bytes',
    'a-library',
  ]),
  'apps/cli/src/main.ts': `${SPDX}import '@vouchsafe/verity';\nimport '@vouchsafe/bytes/node';\nimport 'a-library';\nawait import('@vouchsafe/server');\nconsole.log(Date.now());\n`,
  'apps/server/package.json': manifest('@vouchsafe/server', ['kysely'], { '.': './src/index.ts' }),
  'apps/server/src/index.ts': `${SPDX}export const server = 'select a server from the list';\n`.replace(
    'select a',
    'choose a',
  ),
  'apps/server/src/store/rows.ts': `${SPDX}import 'kysely';\nimport 'node:sqlite';\nexport const q = 'SELECT a FROM b';\n`,
  'tools/run.ts': `${SPDX}import 'fast-check';\nawait import(process.argv[2] ?? '');\n`,
  'tools/setup.sh': '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n',
  'ARCHITECTURE.md': [
    '| level | member | owns |',
    '|---|---|---|',
    '| 0 | `packages/base` | x |',
    '| 1 | `packages/bytes` | x |',
    '| 1 | `packages/crypto` | x |',
    '| 3 | `packages/verity` | x |',
    '| 4 | `packages/eventlog` | not written yet |',
    '| 8 | `apps/server` | x |',
    '| 9 | `apps/cli` | x |',
    '',
  ].join('\n'),
};

function rulesBroken(t: TestContext, changes: Files): string[] {
  const root = tempDir(t);
  for (const [path, text] of Object.entries({ ...CLEAN, ...changes })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkLevels(root).map(({ file, line, rule }) => `${rule} ${file}:${line}`);
}

test('the made-up tree without a fault is clean', (t) => {
  assert.deepEqual(rulesBroken(t, {}), []);
});

test('the real tree is clean', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  assert.deepEqual(checkLevels(root).map(formatLevelFinding), []);
});

const ONE = 'packages/base/src/one.ts';
const TWO = 'packages/bytes/src/two.ts';
const MAIN = 'apps/cli/src/main.ts';
const line2 = (text: string): string => `${SPDX}${text}\n`;

/** What is done wrong, the files that do it, and where it must be found. */
const FAULTS: readonly [rule: LevelRule, what: string, at: string, changes: Files][] = [
  ['unparsed', 'a file that is not TypeScript', `${ONE}:1`, { [ONE]: line2('export const = ;') }],
  [
    'unknown-member',
    'a member without a level',
    'packages/new/package.json:1',
    { 'packages/new/package.json': manifest('@vouchsafe/new') },
  ],
  [
    'matrix',
    'another level in the matrix',
    'ARCHITECTURE.md:3',
    { 'ARCHITECTURE.md': (CLEAN['ARCHITECTURE.md'] ?? '').replace('| 0 |', '| 1 |') },
  ],
  [
    'matrix',
    'no row in the matrix',
    'ARCHITECTURE.md:1',
    { 'ARCHITECTURE.md': (CLEAN['ARCHITECTURE.md'] ?? '').replace('`apps/cli`', 'the cli') },
  ],
  [
    'level',
    'an import that goes up, of a type alone',
    `${ONE}:2`,
    {
      'packages/base/package.json': manifest('@vouchsafe/base', ['@vouchsafe/verity']),
      [ONE]: line2("import type { three } from '@vouchsafe/verity';"),
    },
  ],
  [
    'level',
    'an import at the same level, in a type expression',
    `${TWO}:2`,
    {
      'packages/bytes/package.json': manifest('@vouchsafe/bytes', ['@vouchsafe/crypto'], WITH_NODE),
      [TWO]: line2("export type T = import('@vouchsafe/crypto').T;"),
    },
  ],
  [
    'app-imports-app',
    'an app other than the command',
    'apps/server/src/index.ts:2',
    {
      'apps/server/package.json': manifest('@vouchsafe/server', ['@vouchsafe/cli', 'kysely']),
      'apps/server/src/index.ts': line2("import '@vouchsafe/cli';"),
    },
  ],
  [
    'sees-only',
    'the dashboard beyond protocol',
    'apps/dashboard/src/page.ts:2',
    {
      'apps/dashboard/package.json': manifest('@vouchsafe/dashboard', ['@vouchsafe/base']),
      'apps/dashboard/src/page.ts': line2("import '@vouchsafe/base';"),
      'ARCHITECTURE.md': `${CLEAN['ARCHITECTURE.md']}| 8 | \`apps/dashboard\` | x |\n`,
    },
  ],
  ['undeclared', 'a package that the manifest lacks', `${MAIN}:2`, { [MAIN]: line2("import 'left-pad';") }],
  ['undeclared', 'the same by import()', `${MAIN}:2`, { [MAIN]: line2("await import('left-pad');") }],
  [
    'undeclared',
    'the same in a re-export',
    `${MAIN}:2`,
    { [MAIN]: line2("export { x } from 'left-pad';\nexport const y = 1;") },
  ],
  [
    'undeclared',
    'a test',
    'packages/base/test/one.test.ts:2',
    { 'packages/base/test/one.test.ts': line2("import 'left-pad';") },
  ],
  ['undeclared', 'a tool', 'tools/run.ts:2', { 'tools/run.ts': line2("import 'left-pad';") }],
  ['test-dependency', "sources with the tests' dependency", `${MAIN}:2`, { [MAIN]: line2("import 'fast-check';") }],
  [
    'outside-member',
    'a relative path into another package',
    `${TWO}:2`,
    { [TWO]: line2("import '../../base/src/one.ts';") },
  ],
  [
    'outside-member',
    'a tool by path',
    'tools/run.ts:2',
    { 'tools/run.ts': line2("import '../packages/base/src/one.ts';") },
  ],
  ['not-exported', 'an inner file', `${TWO}:2`, { [TWO]: line2("import '@vouchsafe/base/src/one.ts';") }],
  ['own-name', 'sources by their own name', `${ONE}:2`, { [ONE]: line2("import '@vouchsafe/base';") }],
  ['computed-import', 'a computed target', `${MAIN}:2`, { [MAIN]: line2("await import('node:' + 'fs');") }],
  [
    'circle',
    'two files, one by type alone',
    'packages/base/src/two.ts:2',
    {
      'packages/base/src/two.ts': line2("import './three.ts';"),
      'packages/base/src/three.ts': line2("import type { X } from './two.ts';"),
    },
  ],
  ['pure-import', 'node:fs', `${ONE}:2`, { [ONE]: line2("import 'node:fs';") }],
  ['pure-import', 'fs without its prefix', `${ONE}:2`, { [ONE]: line2("import type { Stats } from 'fs';") }],
  [
    'pure-import',
    'its own src/node',
    'packages/bytes/src/six.ts:2',
    { 'packages/bytes/src/six.ts': line2("import type { x } from './node/index.ts';") },
  ],
  [
    'pure-import',
    "another package's src/node",
    'packages/verity/src/index.ts:2',
    { 'packages/verity/src/index.ts': line2("import '@vouchsafe/bytes/node';") },
  ],
  [
    'pure-import',
    'a dependency that is not allowed',
    `${ONE}:2`,
    { 'packages/base/package.json': manifest('@vouchsafe/base', ['left-pad']), [ONE]: line2("import 'left-pad';") },
  ],
  ['crypto', 'node:crypto in an app', `${MAIN}:2`, { [MAIN]: line2("import { hash } from 'node:crypto';") }],
  [
    'crypto',
    "the runtime's crypto in an app",
    `${MAIN}:2`,
    { [MAIN]: line2('crypto.getRandomValues(new Uint8Array(1));') },
  ],
  ['crypto', 'the same by globalThis', `${MAIN}:2`, { [MAIN]: line2('const { subtle } = globalThis.crypto;') }],
  ['crypto', 'the same by a pattern', `${MAIN}:2`, { [MAIN]: line2('const { crypto: web } = globalThis;') }],
  ['crypto', 'the same by a computed name', `${MAIN}:2`, { [MAIN]: line2('export const web = globalThis[name];') }],
  ['crypto', 'node:crypto by process', `${MAIN}:2`, { [MAIN]: line2("process.getBuiltinModule('node:crypto');") }],
  ['crypto', 'node:crypto by require', `${MAIN}:2`, { [MAIN]: line2("require('node:crypto');") }],
  [
    'sql',
    'a statement outside the store',
    'apps/server/src/index.ts:2',
    { 'apps/server/src/index.ts': line2('export const q = `select a from b`;') },
  ],
  [
    'sql',
    'a driver outside the store',
    'apps/server/src/index.ts:2',
    { 'apps/server/src/index.ts': line2("import 'kysely';") },
  ],
  ['spdx', 'no licence line', `${ONE}:1`, { [ONE]: 'export const one = 1;\n' }],
  ['spdx', 'a script without it', 'tools/setup.sh:1', { 'tools/setup.sh': '#!/bin/sh\n\nexit 0\n' }],
  [
    'file-name',
    'not kebab-case',
    'packages/base/src/oneTwo.ts:1',
    { 'packages/base/src/oneTwo.ts': line2('export const one = 1;') },
  ],
  ['file-length', 'too long', `${ONE}:401`, { [ONE]: `${SPDX}${'const a = 1;\n'.repeat(400)}` }],
  [
    'barrel',
    're-exports that are no entry',
    'packages/base/src/all.ts:1',
    { 'packages/base/src/all.ts': line2("export { one } from './one.ts';") },
  ],
];

for (const [rule, what, at, changes] of FAULTS) {
  test(`${rule}: ${what}`, (t) => {
    assert.deepEqual(rulesBroken(t, changes), [`${rule} ${at}`]);
  });
}

/** Each is impure; the names that a file declares itself, members and keys of the same name are not. */
const IMPURE = [
  'Buffer.from([])',
  'x as Buffer',
  'process.env',
  'globalThis',
  'console.log()',
  'performance.now()',
  'setTimeout(f, 1)',
  'fetch("x")',
  'crypto.subtle',
  'document.body',
  'window',
  'navigator',
  'require("x")',
  'eval("1")',
  'new WebAssembly.Module(x)',
  'Date.now()',
  'new Date()',
  'new Date',
  'Date()',
  'const clock = Date',
  'Math.random()',
  'Math["random"]()',
  'const { random } = Math',
  'x[process]',
  '({ process })',
  'import.meta.url',
];
const PURE = [
  'new Date(0)',
  'Date.UTC(1970, 0)',
  'x instanceof Date',
  'let d: Date | undefined',
  'Math.floor(1.5)',
  'x.process.console()',
  '({ process: 1, console() {} })',
  'type T = { fetch: string; crypto(): void }',
  'function f(process: number) { return process; }',
  'const { document } = x; document',
  'const { a: [window = 1] } = x; window',
  'for (const [self] of x) self',
  'type F = (performance: number) => void',
  'class A { process = 1; #crypto = 2; require() {} }',
  'new TextEncoder()',
];

for (const code of IMPURE) {
  test(`pure-global: ${code}`, (t) => {
    assert.deepEqual(rulesBroken(t, { [ONE]: line2(code) }), [`pure-global ${ONE}:2`]);
  });
}

test('what looks like a global and is none passes', (t) => {
  for (const code of PURE) assert.deepEqual(rulesBroken(t, { [ONE]: line2(code) }), [], code);
});

test('src/node of a pure package, and apps, may use the runtime', (t) => {
  const code = line2('export const x = [Buffer, process, console, Date.now(), Math.random(), setTimeout];');
  assert.deepEqual(rulesBroken(t, { 'packages/bytes/src/node/index.ts': code, [MAIN]: code }), []);
});
