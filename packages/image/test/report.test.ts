// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { TreeEntry } from '@vouchsafe/disk';
import { type SizeNode, sizeReport, treemapSvg } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { requireBudgets } from '../src/report/check-budgets.ts';
import { leaf } from '../src/report/size-node.ts';
import { squarify } from '../src/report/squarify.ts';
import { directory, file, link, madeProgram, makeDisk } from './made-disk.ts';
import { codeOf } from './support.ts';

const find = (node: SizeNode, ...names: readonly string[]): SizeNode =>
  names.reduce((at, name) => at.children.find((child) => child.name === name) ?? assert.fail(`no ${name}`), node);

function assertAddsUp(node: SizeNode): void {
  if (node.children.length === 0) return;
  const sum = node.children.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  assert.equal(sum, node.sizeBytes, node.name);
  node.children.forEach(assertAddsUp);
}

const big = (letter: string): string => letter.repeat(100_000);

const TREE: readonly TreeEntry[] = [
  directory(''),
  directory('usr'),
  directory('usr/lib'),
  directory('var'),
  directory('var/lib'),
  directory('var/lib/dpkg'),
  directory('var/lib/dpkg/info'),
  link('lib', 'usr/lib'),
  file('usr/lib/liba.so', big('a')),
  file('usr/lib/same.so', big('a')),
  { kind: 'hardlink', path: 'usr/lib/other.so', target: 'usr/lib/liba.so' },
  file('usr/lib/own', big('c')),
  file('var/lib/dpkg/status', 'Package: liba\nVersion: 1-1\nArchitecture: amd64\n'),
  file('var/lib/dpkg/info/liba.list', '/.\n/lib/liba.so\n/usr/lib/same.so\n/gone\n'),
];

test('a disk: partitions, folders, sections and packages, and all sizes add up', async (t) => {
  const path = join(tempDir(t), 'disk.raw');
  await makeDisk(path, { tree: TREE });
  using disk = FileSource.open(path);
  const { whole, files, packages } = sizeReport(disk);
  assertAddsUp(whole);
  assert.deepEqual([whole.name, whole.sizeBytes], ['disk.raw', disk.size]);
  const root = find(whole, 'root-x86-64');
  const library = find(root, 'usr', 'lib');
  // What is there twice is there once: the same data, and names of one file.
  const large = library.children.filter(({ sizeBytes }) => sizeBytes > 99_000).map(({ name }) => name);
  assert.deepEqual(large, ['liba.so', 'own']);
  assert.ok(library.children.every(({ name }) => name !== 'other.so'));
  assert.ok(find(root, 'metadata').sizeBytes > 0);
  const program = find(whole, 'esp', 'EFI', 'BOOT', 'BOOTX64.EFI');
  assert.equal(program.kind, 'program');
  for (const section of ['.cmdline', '.linux', '.osrel', 'signatures']) find(program, section);
  assert.equal(files[0]?.sizeBytes, 100_000);
  const named = new Map(packages.map(({ name, version, files: count }) => [name, `${version} ${count}`]));
  assert.deepEqual([named.get('liba'), named.get('(no package)'), named.size], ['1-1 2', ' 4', 2]);
  const known = sizeReport(disk, { packages: [] });
  assert.deepEqual(known.packages, []);
});

test('what has neither partitions nor files is refused by code', () => {
  assert.equal(
    codeOf(() => sizeReport(memorySource(utf8('x'.repeat(9000)), 'x'))),
    'no_files',
  );
  assertAddsUp(sizeReport(madeProgram()).whole);
});

test('compressed files count as they are stored', needsTool('mkfs.erofs'), (t) => {
  const folder = tempDir(t);
  const root = join(folder, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'zeros'), Buffer.alloc(1 << 20, 'abc'));
  execFileSync('mkfs.erofs', ['-zlz4', join(folder, 'r.erofs'), root], { stdio: 'ignore' });
  using image = FileSource.open(join(folder, 'r.erofs'));
  const { whole, files } = sizeReport(image);
  assertAddsUp(whole);
  const [zeros] = files;
  assert.ok(zeros !== undefined && zeros.sizeBytes > 0 && zeros.sizeBytes < 64 * 1024, String(zeros?.sizeBytes));
});

test('a treemap gives each value its share of the area, inside it, and nothing twice', () => {
  const area = { x: 3, y: 5, width: 640, height: 360 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 60 }), (some) => {
      const values = some.toSorted((a, b) => b - a);
      const total = values.reduce((sum, value) => sum + value, 0);
      const rectangles = squarify(values, area);
      assert.equal(rectangles.length, values.length);
      for (const [i, { x, y, width, height }] of rectangles.entries()) {
        const share = (area.width * area.height * (values[i] as number)) / total;
        assert.ok(Math.abs(width * height - share) < 1e-6 * area.width * area.height);
        assert.ok(x >= area.x - 1e-6 && y >= area.y - 1e-6);
        assert.ok(x + width <= area.x + area.width + 1e-6 && y + height <= area.y + area.height + 1e-6);
        for (const other of rectangles.slice(0, i)) {
          const wide = Math.min(x + width, other.x + other.width) - Math.max(x, other.x);
          const high = Math.min(y + height, other.y + other.height) - Math.max(y, other.y);
          assert.ok(wide < 1e-6 || high < 1e-6, 'two lie over each other');
        }
      }
    }),
  );
});

test('the picture is XML whatever files are called, and the same each time', () => {
  const names = ['<script>alert(1)</script>', '"&\'', 'a\u0000b\u202ec', '\ud83d\ude00', ']]>', 'lone \ud800'];
  const children = names.map((name, i) => leaf(name, 'file', 1000 - i));
  const whole: SizeNode = { name: names.join(), kind: 'disk', sizeBytes: 5985, children };
  const svg = treemapSvg(whole);
  assert.equal(treemapSvg(whole), svg);
  assert.ok(!svg.includes('<script'));
  const plain = svg
    .replace(/&(amp|lt|gt|quot);/g, '')
    .replace(
      /<\/?(svg|g|rect|text|title|defs|pattern)( [a-zA-Z-]+="[^"<]*"| xmlns="[^"]*"| viewBox="[^"]*")*\/?>/g,
      '',
    );
  assert.ok(!/[<&]/.test(plain), plain);
  assert.ok(svg.isWellFormed() && !/[^\P{C}\n]/u.test(svg));
});

test('over budget: an error with what takes the space; at the budget: none', () => {
  const whole: SizeNode = {
    name: 'd',
    kind: 'disk',
    sizeBytes: 300,
    children: [
      { ...leaf('boot.efi', 'program', 200), children: [leaf('.initrd', 'section', 200)] },
      leaf('root', 'partition', 100),
    ],
  };
  const report = {
    whole,
    files: [{ name: 'usr/large', sizeBytes: 90 }],
    packages: [{ name: 'fat', version: '1', sizeBytes: 95, files: 2 }],
  };
  const sizes = { diskBytes: 300, rootBytes: 100, ukiBytes: 200, initrdBytes: 150 };
  requireBudgets({ diskBytes: 300, rootBytes: 100, ukiBytes: 200, initrdBytes: 150, bootMs: 1 }, sizes, report);
  for (const [key, name] of [
    ['diskBytes', 'disk'],
    ['rootBytes', 'root'],
    ['ukiBytes', 'uki'],
    ['initrdBytes', 'initrd'],
  ] as const) {
    assert.throws(
      () => requireBudgets({ [key]: sizes[key] - 1 }, sizes, report),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'budget_exceeded');
        for (const part of [`${name}: expected at most`, 'boot.efi', '.initrd', 'fat', 'usr/large']) {
          assert.ok(error.message.includes(part), `${part}: ${error.message}`);
        }
        return true;
      },
    );
  }
});
