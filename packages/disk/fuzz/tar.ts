// SPDX-License-Identifier: Apache-2.0
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { buildTree, tarTree } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';
import { makeTar, paxMember, withChecksum } from '../test/made-tar.ts';

const SPARSE_1 = `${'2\n0\n2\n1000\n1\n'.padEnd(512, '\0')}abc`;

/** Every block that says that it is a header gets the checksum that fits, or few changes would be seen by the parser. */
function believed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let at = 0; at + 512 <= copy.length; at += 512) {
    if (copy[at + 257] === 0x75 && copy[at + 258] === 0x73) withChecksum(copy.subarray(at, at + 512));
  }
  return copy;
}

/** Bytes as a tar archive: whatever is read makes a tree, and no content is larger than it says. */
export const target: FuzzTarget = {
  name: 'disk-tar',
  seeds: () => [
    makeTar([{ name: 'f', content: 'x' }]),
    makeTar([
      { name: './', type: '5' },
      paxMember(['path', 'a file'], ['SCHILY.xattr.user.x', 'x'], ['SCHILY.acl.access', 'user::rw-,group:7:r--']),
      { name: 'short', content: 'content' },
      { name: '././@LongLink', type: 'L', content: 'long\0' },
      { name: 'link', type: '1', link: 'a file' },
      { name: 'd/link', type: '2', link: '/a' },
    ]),
    makeTar([
      paxMember(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', '5000']),
      { name: 'sparse', content: SPARSE_1 },
      paxMember(['GNU.sparse.size', '5000'], ['GNU.sparse.map', '0,2,1000,1']),
      { name: 'other', content: 'abc' },
    ]),
  ],
  run(bytes) {
    const tree = tarTree(memorySource(believed(bytes)), { maxContentBytes: 64 * 1024 * 1024 });
    for (const entry of tree) {
      if (entry.kind === 'file') readBytes(entry.content, 0, Math.min(entry.content.size, 100_000));
    }
    buildTree(tree);
  },
};
