// SPDX-License-Identifier: Apache-2.0
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { erofsTree, findErofsEntry, openErofs, planErofsImage } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';
import { at, directory, file } from '../test/erofs-tree.ts';
import { bytesOf, SEED, TIMESTAMP, written } from '../test/support.ts';

/** Without the bit that says that there is a checksum: most changes would end there. */
function image(): Uint8Array {
  const tree = [
    directory(''),
    directory('d'),
    file('d/large', 9000),
    file('d/xattrs', 20, { xattrs: [{ name: 'user.a', value: bytesOf('value') }] }),
    file('late', 5, { mtimeSeconds: 5 }),
    { kind: 'symlink', target: 'd/large', ...at('link') } as const,
  ];
  const bytes = written((sink) => planErofsImage({ tree, uuid: SEED, timestampSeconds: TIMESTAMP }).write(sink));
  bytes[1024 + 8] = 0;
  return bytes;
}

/** Of one file: a table of chunks in holes makes any size. */
const MAX_READ_BYTES = 1024 * 1024;

/** Bytes as an EROFS image: whatever is listed has a path of plain parts, and each content can be read. */
export const target: FuzzTarget = {
  name: 'disk-erofs',
  seeds: () => [image()],
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
