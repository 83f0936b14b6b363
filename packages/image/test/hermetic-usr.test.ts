// SPDX-License-Identifier: Apache-2.0
// internal: the trees that images are made of have no other entry.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TreeEntry } from '@vouchsafe/disk';
import { hermeticUsr } from '../src/build/hermetic-usr.ts';
import { directory, file, link } from './made-disk.ts';
import { codeOf } from './support.ts';

const ROOT: readonly TreeEntry[] = [
  directory(''),
  directory('usr'),
  directory('usr/bin'),
  file('usr/bin/app', 'app'),
  directory('usr/share'),
  directory('usr/share/factory'),
  directory('usr/share/factory/etc'),
  file('usr/share/factory/etc/both', 'older'),
  file('usr/share/factory/etc/old', 'old'),
  link('bin', 'usr/bin'),
  directory('etc'),
  file('etc/both', 'newer'),
  { kind: 'hardlink', path: 'etc/second', target: 'etc/both' },
  { kind: 'hardlink', path: 'etc/app', target: 'usr/bin/app' },
  directory('var'),
  file('var/state', ''),
  directory('run'),
  file('run/left-over', ''),
  directory('proc'),
];

test('what lies beside /usr becomes its factory default, over what it had there; the rest is of the boot', () => {
  const tree = new Map(hermeticUsr(ROOT, 7).map((entry) => [entry.path, entry]));
  assert.deepEqual([...tree.keys()].sort(), [
    '',
    'bin',
    'bin/app',
    'share',
    'share/factory',
    'share/factory/etc',
    'share/factory/etc/app',
    'share/factory/etc/both',
    'share/factory/etc/old',
    'share/factory/etc/second',
    'share/factory/var',
    'share/factory/var/state',
  ]);
  const both = tree.get('share/factory/etc/both');
  assert.equal(both?.kind === 'file' && both.content.size, 'newer'.length);
  const second = tree.get('share/factory/etc/second');
  assert.equal(second?.kind === 'hardlink' && second.target, 'share/factory/etc/both');
});

test('a root without /usr, or with programs outside of it, is none', () => {
  assert.equal(
    codeOf(() => hermeticUsr([directory(''), directory('etc')], 0)),
    'path_invalid',
  );
  assert.equal(
    codeOf(() => hermeticUsr([directory(''), directory('usr'), directory('bin'), file('bin/sh', '')], 0)),
    'path_invalid',
  );
});
