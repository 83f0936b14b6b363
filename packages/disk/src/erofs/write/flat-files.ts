// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { digest, startDigest } from '@vouchsafe/crypto';
import type { ImageInode, Stored } from './image-inode.ts';

const CHUNK_BYTES = 1024 * 1024;
/** What is compared of files of one size before all of them is read: from the middle, as many begin alike. */
const SAMPLE_BYTES = 1024;

/** Blocks for data, and the last part of it behind the inode where both fit into one block. */
export function flatStorage(inode: ImageInode, firstBlock: number, blockBytes: number): Stored & { kind: 'flat' } {
  const tail = inode.dataBytes % blockBytes;
  const tailBytes = tail > 0 && inode.headBytes + tail <= blockBytes ? tail : 0;
  const inBlocks = inode.dataBytes - tailBytes;
  return { kind: 'flat', firstBlock: inBlocks === 0 ? 0 : firstBlock, blockBytes: inBlocks, tailBytes };
}

/** Inodes whose blocks another has already written, and which one. */
export type Copies = ReadonlyMap<ImageInode, ImageInode>;

/**
 * Gives each file its blocks, one after the other from `firstBlock` on; files with the same content have the same blocks.
 * Reads the files that are as large as another, and no others.
 * @returns the inodes that share an earlier one's blocks, and the first block after all of them.
 * @throws {BytesError} from a content.
 */
export function placeFlatFiles(
  inodes: readonly ImageInode[],
  firstBlock: number,
  blockBytes: number,
  signal: CancelSignal | undefined,
): { readonly copies: Copies; readonly nextBlock: number } {
  const files = inodes.filter(({ node }) => node.inode.kind === 'file');
  const keys = contentKeys(files, blockBytes, signal);
  const firsts = new Map<string, ImageInode>();
  const copies = new Map<ImageInode, ImageInode>();
  let nextBlock = firstBlock;
  for (const inode of files) {
    const key = keys.get(inode);
    const first = key === undefined ? undefined : firsts.get(key);
    const own = flatStorage(inode, nextBlock, blockBytes);
    if (first?.stored.kind === 'flat' && first.stored.blockBytes >= own.blockBytes && own.blockBytes > 0) {
      inode.stored = { ...own, firstBlock: first.stored.firstBlock };
      copies.set(inode, first);
      continue;
    }
    inode.stored = own;
    nextBlock += Math.ceil(own.blockBytes / blockBytes);
    if (key !== undefined) firsts.set(key, inode);
  }
  return { copies, nextBlock };
}

/** The same text for the same content; only of files that may be the same as another and have blocks. */
function contentKeys(
  files: readonly ImageInode[],
  blockBytes: number,
  signal: CancelSignal | undefined,
): ReadonlyMap<ImageInode, string> {
  const keys = new Map<ImageInode, string>();
  const buffer = new Uint8Array(CHUNK_BYTES);
  const ofSameSize = groupBy(
    files.filter((inode) => flatStorage(inode, 1, blockBytes).blockBytes > 0),
    ({ dataBytes }) => dataBytes,
  );
  const sample = buffer.subarray(0, SAMPLE_BYTES);
  const sampleKey = (inode: ImageInode): string => {
    signal?.throwIfAborted();
    const content = contentOf(inode);
    content.read(Math.floor((content.size - SAMPLE_BYTES) / 2), sample);
    return latin1(digest('sha256', sample));
  };
  // Group by group, so that few files are opened twice.
  for (const group of ofSameSize) {
    const { dataBytes } = group[0] as ImageInode;
    // What is too small for a sample is read as a whole.
    const alike = dataBytes < SAMPLE_BYTES ? group : groupBy(group, sampleKey).flat();
    for (const inode of alike) keys.set(inode, `${dataBytes} ${contentDigest(contentOf(inode), buffer, signal)}`);
  }
  return keys;
}

/** Groups of two and more. */
function groupBy<K>(inodes: readonly ImageInode[], keyOf: (inode: ImageInode) => K): ImageInode[][] {
  const groups = new Map<K, ImageInode[]>();
  for (const inode of inodes) {
    const key = keyOf(inode);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [inode]);
    else group.push(inode);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

function contentDigest(content: ByteSource, buffer: Uint8Array, signal: CancelSignal | undefined): string {
  if (content.size <= buffer.length) {
    signal?.throwIfAborted();
    const whole = buffer.subarray(0, content.size);
    content.read(0, whole);
    return latin1(digest('sha256', whole));
  }
  const running = startDigest('sha256');
  for (let at = 0; at < content.size; at += buffer.length) {
    signal?.throwIfAborted();
    const part = buffer.subarray(0, Math.min(buffer.length, content.size - at));
    content.read(at, part);
    running.update(part);
  }
  return latin1(running.digest());
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function contentOf({ node }: ImageInode): ByteSource {
  if (node.inode.kind !== 'file') throw new Error('a content was asked for of what is no file');
  return node.inode.content;
}
