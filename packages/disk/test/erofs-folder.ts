// SPDX-License-Identifier: Apache-2.0
import { linkSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBytes } from '@vouchsafe/bytes';
import { bytesOf, patternSource, TIMESTAMP } from './support.ts';

const WORDS = ['root', 'verity', 'block', 'inode', 'of', 'the', 'a', 'kernel', 'reads', 'page', 'image', '0x1f', '\n'];

/** Octets that look random, the same each time. */
export function noise(size: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Text that becomes half as large. */
export function text(size: number, seed = 1): Uint8Array {
  const choices = noise(size, seed);
  let whole = '';
  for (let i = 0; whole.length < size; i++) whole += `${WORDS[(choices[i] as number) % WORDS.length]} `;
  return bytesOf(whole.slice(0, size));
}

/** Files that one or another way of compressing treats apart; the images in testdata/erofs are of this folder. */
export function makeSampleFolder(root: string): void {
  mkdirSync(join(root, 'd'), { recursive: true });
  const files: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    small: text(100),
    text: text(20_000),
    'text-late': new Uint8Array([...text(4096, 7), ...text(20_000).subarray(0, 14_000), ...text(700, 9)]),
    noise: noise(9000),
    mixed: new Uint8Array([...text(6000, 3), ...noise(5000), ...text(9000, 4)]),
    zeros: new Uint8Array(200_000),
    'd/block': text(4096, 5),
    'd/two-blocks': text(8192, 6),
    'd/one-more': text(8193, 6),
  };
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
  writeFileSync(join(root, 'holes'), text(5000));
  truncateSync(join(root, 'holes'), 90_000);
  linkSync(join(root, 'text'), join(root, 'd/linked'));
  symlinkSync('../text', join(root, 'd/link'));
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }))
    lutimesSync(join(root, path), TIMESTAMP, TIMESTAMP);
  lutimesSync(root, TIMESTAMP, TIMESTAMP);
}

/** What mkfs.erofs stores without compression in one way or another. */
export function makePlainFolder(root: string): void {
  mkdirSync(join(root, 'etc/deep/deeper'), { recursive: true });
  for (const size of [0, 1, 100, 4000, 4096, 4097, 8192, 100_000]) {
    writeFileSync(join(root, `etc/${size}`), readBytes(patternSource(size, size + 7), 0, size));
  }
  writeFileSync(join(root, 'etc/copy'), readBytes(patternSource(100_000, 100_007), 0, 100_000));
  linkSync(join(root, 'etc/4097'), join(root, 'etc/deep/linked'));
  symlinkSync('../etc/100', join(root, 'etc/link'));
  symlinkSync('y'.repeat(3000), join(root, 'etc/long-link'));
  mkdirSync(join(root, 'many'));
  for (let i = 0; i < 1000; i++) writeFileSync(join(root, `many/${'n'.repeat(i % 50)}${i}`), `${i % 3}`);
}
