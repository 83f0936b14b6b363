// SPDX-License-Identifier: Apache-2.0
import { MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { cpioTree, encodeStubArchive, FILE_TYPES, readCpio, readCpioLink, writeCpio } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';

function archive(): Uint8Array {
  const sink = new MemorySink(64 * 1024);
  const text = (value: string) => memorySource(new TextEncoder().encode(value));
  writeCpio(sink, [
    { path: 'etc', mode: FILE_TYPES.directory | 0o755 },
    { path: 'etc/link', mode: FILE_TYPES.symlink | 0o777, content: text('target') },
    { path: 'etc/file', mode: FILE_TYPES.file | 0o644, content: text('content') },
  ]);
  return sink.bytes();
}

/** Bytes as an archive: every content lies inside it. */
export const target: FuzzTarget = {
  name: 'disk-cpio',
  seeds: () => [archive(), encodeStubArchive('credentials', [{ name: 'a.cred', content: new Uint8Array(5) }])],
  run(bytes) {
    let total = 0;
    for (const entry of readCpio(memorySource(bytes))) {
      total += readBytes(entry.content, 0, entry.content.size).length;
      if (entry.kind === 'symlink') readCpioLink(entry);
    }
    if (total > bytes.length) throw new Error('more content than archive');
    cpioTree([readCpio(memorySource(bytes))]);
  },
};
