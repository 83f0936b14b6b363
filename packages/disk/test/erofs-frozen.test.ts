// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { toHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import {
  EROFS_LAYOUT_VERSION,
  type ErofsCompression,
  erofsTree,
  openErofs,
  type TreeEntry,
  writeErofsImage,
} from '@vouchsafe/disk';
import { wasmClusterCompressor } from '@vouchsafe/disk/node';
import { noise, text } from './erofs-folder.ts';
import { at, directory, TREE } from './erofs-tree.ts';
import { bytesOf, SEED, TIMESTAMP, written } from './support.ts';

const label = { name: 'security.selinux', value: bytesOf('system_u:object_r:usr_t:s0') };
const content = (path: string, bytes: Uint8Array): TreeEntry => ({
  kind: 'file',
  content: memorySource(bytes),
  ...at(path, { xattrs: [label] }),
});

/** Of everything that decides where octets go: kinds, sizes, owners, times, attributes, copies, what compresses and what not. */
const FIXED: readonly TreeEntry[] = [
  ...TREE,
  directory('z', { xattrs: [label, { name: 'user.own', value: bytesOf('x') }] }),
  ...[4097, 20_000, 65_536, 1_048_577, 2_500_000].map((size) => content(`z/text-${size}`, text(size, size))),
  content('z/copy', text(20_000, 20_000)),
  content('z/noise', noise(50_000)),
  content('z/mixed', new Uint8Array([...text(30_000), ...noise(20_000), ...new Uint8Array(100_000), ...text(5000, 2)])),
  { kind: 'character', device: { major: 1, minor: 300 }, ...at('z/device') },
];

/** Never change a digest: count EROFS_LAYOUT_VERSION up and add a line instead. */
const FROZEN: Readonly<Record<number, Readonly<Record<ErofsCompression, string>>>> = {
  1: {
    none: '2f71f526f64b580217f38b5630e7f03b042c1d283b12cc13a088b1ae97835d7a',
    lz4: '055dd8fc7d1dc203ef5d46315412e0b6b91b0139c12ec65ddea28c4d49f3d0e4',
  },
};

const image = (
  tree: Iterable<TreeEntry>,
  compression: ErofsCompression,
  compressor?: ReturnType<typeof wasmClusterCompressor>,
): Uint8Array =>
  written((sink) =>
    writeErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP, label: 'root', compression, compressor }, sink),
  );

for (const compression of ['none', 'lz4'] as const) {
  test(`the same tree gives the same octets for ever: ${compression}`, () => {
    const bytes = image(FIXED, compression);
    assert.equal(toHex(digest('sha256', bytes)), FROZEN[EROFS_LAYOUT_VERSION]?.[compression]);
    assert.deepEqual(image(FIXED.toReversed(), compression), bytes);
    assert.deepEqual(image(erofsTree(openErofs(memorySource(bytes))), compression), bytes);
    assert.deepEqual(image(FIXED, compression, wasmClusterCompressor()), bytes);
  });
}
