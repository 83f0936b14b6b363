// SPDX-License-Identifier: Apache-2.0
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { type ErofsCompression, erofsTree, findErofsEntry, openErofs, writeErofsImage } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';
import { at, directory, file } from '../test/erofs-tree.ts';
import { bytesOf, readTestdata, SEED, TIMESTAMP, written } from '../test/support.ts';

/** Without the bit that says that there is a checksum: most changes would end there. */
function unchecked(bytes: Uint8Array): Uint8Array {
  bytes[1024 + 8] = 0;
  return bytes;
}

function image(compression: ErofsCompression): Uint8Array {
  const tree = [
    directory(''),
    directory('d'),
    file('d/large', 9000),
    file('d/xattrs', 20, { xattrs: [{ name: 'user.a', value: bytesOf('value') }] }),
    file('late', 5, { mtimeSeconds: 5 }),
    { kind: 'symlink', target: 'd/large', ...at('link') } as const,
  ];
  return unchecked(
    written((sink) => writeErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP, compression }, sink)),
  );
}

/** Of one file: a table of chunks in holes makes any size. */
const MAX_READ_BYTES = 1024 * 1024;

/** Bytes as an EROFS image: whatever is listed has a path of plain parts, and each content can be read. */
export const target: FuzzTarget = {
  name: 'disk-erofs',
  seeds: () => [
    image('none'),
    image('lz4'),
    ...['all-fragments', 'large-clusters', 'full-index', 'chunks', 'prefixes'].map((name) =>
      unchecked(readTestdata(`erofs/${name}.img`)),
    ),
  ],
  run(bytes) {
    const volume = openErofs(memorySource(bytes));
    for (const entry of erofsTree(volume)) {
      if (entry.path !== '' && entry.path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
        throw new Error(`a path that climbs: ${entry.path}`);
      }
      if (entry.kind === 'file') readBytes(entry.content, 0, Math.min(entry.content.size, MAX_READ_BYTES));
    }
    findErofsEntry(volume, 'd/large');
  },
};
