// SPDX-License-Identifier: Apache-2.0
import { openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { latin1Digester } from '@vouchsafe/crypto';
import type { Bench, BenchCase } from '@vouchsafe/testing';
import { formatVerity, openVerity, type VerityParameters } from '@vouchsafe/verity';
import { randomBytesInto } from './random-bytes.ts';

const BLOCK_SIZE = 4096;
/** 8 MiB: what is read over and over stays in the page cache, which is what warm means here. */
const BLOCKS = 2048;

/** Random reads of checked blocks whose hash blocks are in the cache, beside the digest alone. */
export const bench: Bench = {
  name: 'verity-reads',
  description: 'verified reads of random blocks of 4096 octets, sha256, beside the digest alone',
  cases: ({ dir }) => verifiedReads(dir),
};

async function verifiedReads(dir: string): Promise<BenchCase[]> {
  const cases: BenchCase[] = [];
  const peer: BenchCase['peer'] = {
    kind: 'tool',
    label: 'openssl speed',
    argv: ['openssl', 'speed', '-mr', '-seconds', '1', '-bytes', String(BLOCK_SIZE), 'sha256'],
    parse: (stdout) => ({ cpuMs: msOfBlock(stdout) }),
  };
  for (const [blocksPerRead, place] of [
    [1, 'memory'],
    [16, 'a file'],
    [1, 'a file'],
  ] as const) {
    cases.push({
      name: `verified random reads of ${(blocksPerRead * BLOCK_SIZE) / 1024} KiB from ${place}, warm`,
      ours: { kind: 'function', label: 'openVerity', run: await prepare(dir, blocksPerRead, place) },
      peer: { ...peer, parse: (stdout) => ({ cpuMs: blocksPerRead * msOfBlock(stdout) }) },
      goals: [{ time: 'cpuMs', statistic: 'median', atLeast: 0.6 }],
    });
  }
  cases.push({
    name: 'what no verified read can be below: one read(2) of 4 KiB through Node.js, and one digest',
    ours: { kind: 'function', label: 'read, digest', run: readAndDigest(dir) },
    peer,
  });
  return cases;
}

/** A random block of the file, and its digest; nothing is checked, looked up or copied. */
function readAndDigest(dir: string): () => number {
  const bytes = new Uint8Array(BLOCKS * BLOCK_SIZE);
  randomBytesInto(bytes);
  const path = join(dir, 'reads-alone');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  const block = new Uint8Array(BLOCK_SIZE);
  const digest = latin1Digester('sha256');
  const next = randomNumbers();
  return () => {
    readSync(fd, block, 0, BLOCK_SIZE, (next() % BLOCKS) * BLOCK_SIZE);
    return digest(block).length;
  };
}

/** Numbers of 32 bits, the same in each run. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

async function prepare(dir: string, blocksPerRead: number, from: 'memory' | 'a file'): Promise<() => number> {
  const bytes = new Uint8Array(BLOCKS * BLOCK_SIZE);
  randomBytesInto(bytes);
  const path = join(dir, `reads-${blocksPerRead}`);
  writeFileSync(path, bytes);
  const parameters: VerityParameters = {
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: BLOCK_SIZE,
    hashBlockSize: BLOCK_SIZE,
    dataBlocks: BLOCKS,
    salt: bytes.slice(0, 32),
  };
  const place = { offset: 0, hasSuperblock: false };
  const sink = new MemorySink(64 * 1024 * 1024);
  const rootHash = await formatVerity({ data: memorySource(bytes), parameters, place, hash: sink, uuid: '' });
  const verified = openVerity({
    data: from === 'memory' ? memorySource(bytes) : FileSource.open(path),
    parameters,
    place,
    hash: memorySource(sink.bytes()),
    rootHash,
  });
  const target = new Uint8Array(blocksPerRead * BLOCK_SIZE);
  const next = randomNumbers();
  return () => {
    verified.read((next() % (BLOCKS - blocksPerRead)) * BLOCK_SIZE, target);
    return target[0] as number;
  };
}

/** The line `+F:index:name:octets per second of CPU time` of `openssl speed -mr` (apps/speed.c, print_result). */
function msOfBlock(stdout: string): number {
  const rate = /^\+F:\d+:[^:]+:([\d.]+)/m.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`openssl speed: expected a line "+F:…", got ${stdout}`);
  return (BLOCK_SIZE / Number(rate)) * 1000;
}
