// SPDX-License-Identifier: Apache-2.0
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { debianPackageData } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';
// Internal: where a frame ends is nobody's business but that of what reads several of them.
import { endOfXzStream } from '../src/compression/xz-streams.ts';
import { zstdFrames } from '../src/compression/zstd-frames.ts';
import { endOfLz4Frame } from '../src/lz4/end-of-frame.ts';

/** `printf x | xz -0`, xz 5.4.1. */
const XZ = Buffer.from('/Td6WFoAAATm1rRGAgAhAQwAAACPmEGcAQAAeAAAAABFru+D+O4WCgABGQGlLIHMH7bzfQEAAAAABFla', 'base64');
const LZ4 = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 1, 0, 0, 0x80, 0x61, 0, 0, 0, 0);
const DEB_HEADER = `${'data.tar'.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${'4'.padEnd(10)}\`\n`;
const DEB = utf8(`!<arch>\n${DEB_HEADER.replace('data.tar     ', 'debian-binary')}2.0\n${DEB_HEADER}data`);

/** Bytes as each of the formats whose ends are found by their headers: none ends behind the bytes. */
export const target: FuzzTarget = {
  name: 'disk-compressed',
  seeds: () => [
    new Uint8Array(XZ),
    LZ4,
    DEB,
    concatBytes(new Uint8Array(zstdCompressSync(Buffer.alloc(1000))), new Uint8Array(zstdCompressSync(utf8('x')))),
    new Uint8Array(gzipSync(utf8('x'))),
  ],
  run(bytes) {
    const source = memorySource(bytes);
    const [first = 0] = bytes;
    const ends =
      first === 0xfd
        ? [endOfXzStream(source, 0)]
        : first === 0x21
          ? [debianPackageData(source).size]
          : first === 0x28
            ? Array.from(zstdFrames(source), ({ offset, size }) => offset + size)
            : [endOfLz4Frame(source, 0)];
    for (const end of ends) if (end > bytes.length) throw new Error(`an end at ${end} of ${bytes.length} octets`);
  },
};
