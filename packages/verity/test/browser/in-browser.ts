// SPDX-License-Identifier: Apache-2.0
// Runs in Node.js and in a page, and must say the same in both.
import { toHex } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import {
  formatVerity,
  fsVerityDigest,
  measureFsVerity,
  openVerity,
  readHeader,
  VerityError,
  verifyTree,
} from '@vouchsafe/verity';

const BLOCKS = 300;
const SALT = Uint8Array.of(0xda, 0xda);

export interface Answers {
  readonly rootHash: string;
  readonly treeBytes: number;
  readonly uuid: string;
  readonly isGood: boolean;
  readonly corruptBlocks: number[];
  readonly readError: string;
  readonly goodByte: number;
  readonly fileDigest: string;
}

/** Makes a tree in memory, checks it, damages the data and checks again. */
export async function runVerity(): Promise<Answers> {
  const bytes = Uint8Array.from({ length: BLOCKS * 4096 }, (_, i) => (i * 7 + (i >> 12)) & 0xff);
  const parameters = {
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: 4096,
    hashBlockSize: 4096,
    dataBlocks: BLOCKS,
    salt: SALT,
  } as const;
  const place = { offset: 0, hasSuperblock: true };
  const sink = new MemorySink(1024 * 1024);
  const uuid = 'a60c98d2-ae9b-4865-bfcb-b4e3ace11033';
  const data = memorySource(bytes, 'data');
  const rootHash = await formatVerity({ data, parameters, place, hash: sink, uuid });
  const hash = memorySource(sink.bytes(), 'hash');
  const request = { data, hash, parameters: readHeader(hash, 0), place, rootHash };
  const { isGood } = await verifyTree(request);
  const file = await measureFsVerity(data, { algorithm: 'sha512', blockSize: 4096, salt: SALT });

  bytes[7 * 4096] = (bytes[7 * 4096] ?? 0) ^ 1;
  const damaged = await verifyTree(request);
  const image = openVerity(request);
  const byte = new Uint8Array(1);
  image.read(6 * 4096, byte);
  let readError = 'none';
  try {
    image.read(7 * 4096, new Uint8Array(1));
  } catch (error) {
    readError = error instanceof VerityError ? error.code : String(error);
  }
  return {
    rootHash: toHex(rootHash),
    treeBytes: hash.size,
    uuid: readHeader(hash, 0).uuid,
    isGood,
    corruptBlocks: [...damaged.corruptData],
    readError,
    goodByte: byte[0] ?? -1,
    fileDigest: toHex(fsVerityDigest(file)),
  };
}

Object.assign(globalThis, { runVerity });
