// SPDX-License-Identifier: Apache-2.0
// Internal: programs that lie ready, and that none runs after what it was made of has changed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { tempDir } from '@vouchsafe/testing';
import { inputsOf } from '../bundle/inputs.ts';
import { decodeProgramFile, encodeProgramFile } from '../bundle/program-file.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OUT = 'node_modules/.cache/vouchsafe-programs';

const SOURCES: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module" }\n',
  'package-lock.json': '{}\n',
  'tsconfig.json': '{}\n',
  'apps/cli/package.json': '{ "type": "module" }\n',
  'apps/cli/src/main.ts': `import { NOUNS } from './noun.ts';
    import { word } from './word.ts';
    const load = NOUNS[process.argv.slice(2).filter((one) => !one.startsWith('-')).join(' ')];
    (load === undefined ? Promise.resolve('usage') : load()).then((verb) => console.log([word, verb].join(' ')));`,
  'apps/cli/src/noun.ts': `export const NOUNS: Record<string, () => Promise<string>> = {
    'disk show': async () => (await import('./disk/show.ts')).show(),
    'disk probe': async () => (await import('./disk/probe.ts')).probe(),
    'disk make': async () => (await import('./disk/make.ts')).make(),
    serve: async () => (await import('./serve/serve.ts')).serve(),
  };`,
  'apps/cli/src/word.ts': "export const word: string = 'one';\n",
  'apps/cli/src/disk/show.ts': `import { readFileSync } from 'node:fs';
    import { hash } from 'node:crypto';
    export async function show(): Promise<string> {
      const { part } = await import('../part.ts');
      const asset = readFileSync(new URL('../asset.txt', import.meta.url), 'utf8');
      return [part, asset, hash('sha1', ''), __filename.slice(-9)].join(' ');
    }`,
  'apps/cli/src/disk/make.ts': `import { LIMIT } from '../../../../packages/limits/src/index.ts';
    export const make = async (): Promise<string> => LIMIT > 9 ? 'much' : 'made';\n`,
  'packages/limits/package.json': '{ "type": "module", "sideEffects": false }\n',
  'packages/limits/src/index.ts': `export { LIMIT } from './limit.ts';
    export { OTHER } from './other.ts';\n`,
  'packages/limits/src/limit.ts': 'export const LIMIT: number = 1;\n',
  'packages/limits/src/other.ts': "export const OTHER: string = 'other';\n",
  // What Node.js itself loads late, and what is another function as a promise.
  'apps/cli/src/disk/probe.ts': `import { execFile } from 'node:child_process';
    import { BlockList } from 'node:net';
    import { promisify } from 'node:util';
    export async function probe(): Promise<string> {
      const list = new BlockList();
      list.addAddress('192.0.2.7');
      const { stdout } = await promisify(execFile)(process.execPath, ['-p', '1 + 1'], { encoding: 'utf8' });
      return ['found', list.check('192.0.2.7'), stdout.trim()].join(' ');
    }`,
  'apps/cli/src/serve/serve.ts': "export const serve = async (): Promise<string> => 'serving';\n",
  'apps/cli/src/part.ts': "export const part: string = 'Größe';\n",
  'apps/cli/src/asset.txt': 'asset',
};

interface Checkout {
  readonly root: string;
  /** The loader's answer to a command line. */
  run(...args: string[]): string;
  write(path: string, text: string): void;
  /** When a program was made. */
  madeMs(name: string): number;
}

/** A checkout with the real workshop and a small command. */
function checkout(t: TestContext): Checkout {
  const root = join(tempDir(t), 'a checkout');
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(SOURCES)) write(path, text);
  mkdirSync(join(root, 'node_modules'));
  for (const name of ['esbuild', '@esbuild']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  cpSync(join(ROOT, 'tools/bundle.ts'), join(root, 'tools/bundle.ts'));
  cpSync(join(ROOT, 'tools/bundle'), join(root, 'tools/bundle'), { recursive: true });
  settle(root);
  const node = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return `${stdout}${stderr}`.trim();
  };
  node('tools/bundle.ts', OUT);
  return {
    root,
    run: (...args) => node(join(OUT, 'main.cjs'), ...args),
    write,
    madeMs: (name) => statSync(join(root, OUT, `${name}.program`)).mtimeMs,
  };
}

/** Waits until what was written is older than what a bundle holds to be changing still. */
function settle(root: string): void {
  const probe = mkdtempSync(join(root, 'probe-'));
  const writtenMs = statSync(probe).ctimeMs;
  rmSync(probe, { recursive: true });
  while (Date.now() < writtenMs + 100) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}

const SHA1_OF_NOTHING = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

test('a verb runs from its program, with its parts, files and built-in modules, and is made once', (t) => {
  const { run, madeMs } = checkout(t);
  assert.equal(run('disk', 'show').replace(/ \S+$/, ''), `one Größe asset ${SHA1_OF_NOTHING}`);
  const firstMs = madeMs('disk.show');
  run('--json', 'disk', 'show', '-x');
  assert.equal(madeMs('disk.show'), firstMs);
  assert.equal(run('disk', 'make'), 'one made');
  assert.equal(run('disk', 'probe'), 'one found true 2');
});

test('a command of one word has its program too', (t) => {
  const { run, madeMs } = checkout(t);
  assert.equal(run('serve', '-x'), 'one serving');
  const firstMs = madeMs('serve.serve');
  run('serve');
  assert.equal(madeMs('serve.serve'), firstMs);
});

test('what is no verb is told so by the overview, whatever it is', (t) => {
  const { run } = checkout(t);
  for (const args of [[], ['disk'], ['disk', 'sho'], ['../disk', 'show'], ['disk', '../disk/show'], ['', ''], ['-h']]) {
    assert.equal(run(...args), 'one usage', `${args}`);
  }
});

test('no program runs after a source has changed, however it was changed', (t) => {
  const { root, run, write } = checkout(t);
  const path = join(root, 'apps/cli/src/word.ts');
  assert.equal(run('disk', 'make'), 'one made');
  assert.equal(run('disk', 'probe'), 'one found true 2');
  const { atime, mtime } = statSync(path);

  // In place, the same length, and its time put back.
  write('apps/cli/src/word.ts', "export const word: string = 'two';\n");
  utimesSync(path, atime, mtime);
  assert.equal(run('disk', 'make'), 'two made');

  // As editors and git do it: another file takes the name; this one is older than the program.
  const other = join(root, 'other');
  writeFileSync(other, "export const word: string = 'six';\n");
  utimesSync(other, 0, 0);
  renameSync(other, path);
  assert.equal(run('disk', 'make'), 'six made');

  // The table sends the verb elsewhere.
  const table = readFileSync(join(root, 'apps/cli/src/noun.ts'), 'utf8');
  write('apps/cli/src/noun.ts', table.replace("'disk make'", "'disk made'"));
  assert.equal(run('disk', 'make'), 'six usage');
  write('apps/cli/src/noun.ts', table);
  assert.equal(run('disk', 'make'), 'six made');

  // A part, which lies in a file of its own.
  write('apps/cli/src/part.ts', "export const part: string = 'piece';\n");
  assert.match(run('disk', 'show'), /^six piece/);

  // What makes the programs, and the loader with them.
  const loader = readFileSync(join(root, 'tools/bundle/loader.ts'), 'utf8');
  write('tools/bundle/loader.ts', `${loader}\nprocess.on('exit', () => console.log('new loader'));\n`);
  run('disk', 'show');
  assert.match(run('disk', 'show'), /new loader$/);
});

test('a constant counts whose value stands elsewhere, a file that leads to another, and nothing that is not used', (t) => {
  const { run, write, madeMs } = checkout(t);
  assert.equal(run('disk', 'make'), 'one made');
  const firstMs = madeMs('disk.make');
  write('packages/limits/src/other.ts', "export const OTHER: string = 'another';\n");
  assert.equal(run('disk', 'make'), 'one made');
  assert.equal(madeMs('disk.make'), firstMs);
  write('packages/limits/src/limit.ts', 'export const LIMIT: number = 10;\n');
  assert.equal(run('disk', 'make'), 'one much');
  write('packages/limits/src/least.ts', 'export const LIMIT: number = 2;\n');
  write('packages/limits/src/index.ts', "export { LIMIT } from './least.ts';\n");
  assert.equal(run('disk', 'make'), 'one made');
});

test('a part that has changed is made anew when it is loaded, and not before', (t) => {
  const { run, write, madeMs } = checkout(t);
  assert.match(run('disk', 'show'), /^one Größe/);
  const firstMs = madeMs('disk.show');
  write('apps/cli/src/part.ts', "export const part: string = 'piece';\n");
  assert.equal(run('disk', 'probe'), 'one found true 2');
  assert.equal(madeMs('disk.show'), firstMs);
  assert.match(run('disk', 'show'), /^one piece/);
  assert.ok(madeMs('disk.show') > firstMs);
});

test('a program that is damaged, or of another making, is made anew', (t) => {
  const { root, run } = checkout(t);
  const path = join(root, OUT, 'disk.make.program');
  assert.equal(run('disk', 'make'), 'one made');
  assert.equal(run('disk', 'probe'), 'one found true 2');
  const whole = readFileSync(path);
  for (const bytes of [Buffer.alloc(0), Buffer.from('nonsense'), Buffer.from('{}\n')]) {
    writeFileSync(path, bytes);
    assert.equal(run('disk', 'make'), 'one made');
    assert.equal(run('disk', 'probe'), 'one found true 2');
  }
  assert.equal(readFileSync(path).length, whole.length);
});

test('where the sources cannot be bundled they run as they are', (t) => {
  const { root, run, write } = checkout(t);
  write('tools/bundle.ts', 'process.exitCode = 1;\n');
  write('apps/cli/src/word.ts', "export const word: string = 'two';\n");
  assert.equal(run('disk', 'make'), 'two made');
  rmSync(join(root, 'tools/bundle.ts'));
});

test('a source with a mistake is told once, by place, and the runtime has the last word', (t) => {
  const { root, write } = checkout(t);
  write('apps/cli/src/word.ts', "export const word: string = 'two;\n");
  const args = [join(OUT, 'main.cjs'), 'disk', 'make'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  assert.notEqual(status, 0);
  assert.match(stderr, /apps\/cli\/src\/word\.ts:1:/);
  assert.doesNotMatch(stderr, /node_modules\/esbuild/);
});

test('the code that lies with a program is what V8 takes', (t) => {
  const { root, run } = checkout(t);
  run('disk', 'show');
  const { source, code, inputs } = decodeProgramFile(readFileSync(join(root, OUT, 'disk.show.program')));
  assert.equal(new Script(source, { cachedData: code }).cachedDataRejected, false);
  const paths = inputs.map(([path]) => path);
  for (const path of ['package-lock.json', 'tools/bundle.ts', 'apps/cli/package.json', 'apps/cli/src/word.ts']) {
    assert.ok(paths.includes(path), path);
  }
  for (const path of ['apps/cli/src/disk/make.ts', 'apps/cli/src/part.ts']) assert.ok(!paths.includes(path), path);
  const part = decodeProgramFile(readFileSync(join(root, OUT, 'part.part')));
  assert.ok(part.inputs.some(([path]) => path === 'apps/cli/src/part.ts'));
});

test('a program file comes back as it was', () => {
  for (const source of ['', 'a', 'abcdefg\n', 'abcdefgh']) {
    const file = { inputs: [['a b', 1, 2.5, 3.25]] as const, source, code: Uint8Array.of(1, 2, 3) };
    const found = decodeProgramFile(Buffer.from(encodeProgramFile(file)));
    assert.deepEqual({ ...found, code: Uint8Array.from(found.code) }, file);
  }
});

test('the lock file answers for the packages of others', (t) => {
  const root = tempDir(t);
  for (const path of ['node_modules/one/one.js', 'a.ts', 'package-lock.json']) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  const paths = inputsOf(root, ['node_modules/one/one.js', 'a.ts'], Date.now()).map(([path]) => path);
  assert.deepEqual(paths, ['a.ts', 'package-lock.json']);
});

test('a source that has changed since the bundling began is put down as no file is', (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, 'a.ts'), 'text');
  const { ctimeMs } = statSync(join(root, 'a.ts'));
  assert.equal(inputsOf(root, ['a.ts'], ctimeMs + 1000)[0]?.[1], 4);
  assert.equal(inputsOf(root, ['a.ts'], ctimeMs - 1)[0]?.[1], -1);
  assert.equal(inputsOf(root, ['a.ts'], ctimeMs + 1)[0]?.[1], -1);
});
