// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { wasmClusterCompressor } from '@vouchsafe/disk/node';
import fc from 'fast-check';
import {
  BATCH_BYTES,
  type ClusterCompressor,
  clusterCompressor,
  compressBatch,
  newOutput,
} from '../src/erofs/write/compress-batch.ts';
import { assemble, i32 } from '../src/node/lz4/assemble.ts';
import { noise, text } from './erofs-folder.ts';

/** Parts as a batch has them, and what becomes of them. */
function compressed(parts: readonly Uint8Array[], compressor: ClusterCompressor) {
  const input = new Uint8Array(BATCH_BYTES);
  const ends = new Uint32Array(parts.length);
  let end = 0;
  for (const [i, part] of parts.entries()) {
    input.set(part, end);
    end += part.length;
    ends[i] = end;
  }
  const { output, counts, starts } = compressBatch({ input, ends }, newOutput(), compressor);
  return { counts, starts, blocks: output.slice(0, starts.length * 4096) };
}

const required = (compressor: ClusterCompressor | undefined): ClusterCompressor => {
  assert.ok(compressor);
  return compressor;
};

test('WebAssembly gives the octets that the compressor for any runtime gives, whatever it had before', () => {
  const wasm = required(wasmClusterCompressor());
  const seed = fc.integer({ min: 1, max: 1_000_000 });
  const size = fc.oneof(fc.integer({ min: 4097, max: 5000 }), fc.integer({ min: 4097, max: 120_000 }));
  const part = fc.oneof(
    fc.tuple(size, seed).map(([length, of]) => text(length, of)),
    fc.tuple(size, seed).map(([length, of]) => noise(length, of)),
    size.map((length) => new Uint8Array(length)),
    // Few different octets: many short matches, near each other.
    fc.uint8Array({ minLength: 4097, maxLength: 9000, max: 2 }),
    // Noise between repetitions: runs of literals of any length.
    fc.tuple(fc.integer({ min: 1, max: 700 }), seed).map(([length, of]) => {
      const octets = new Uint8Array(60_000);
      for (let at = 0; at + length + 40 < octets.length; at += length + 40) octets.set(noise(length, of + at), at);
      return octets;
    }),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      assert.deepEqual(compressed(parts, wasm), compressed(parts, clusterCompressor()));
    }),
    { numRuns: 60 },
  );
});

test('a batch that is full, of matches as long and as far apart as they can be', () => {
  const far = new Uint8Array(BATCH_BYTES);
  for (let at = 0; at < far.length; at += 65_535) far.set(noise(700, 9).subarray(0, far.length - at), at);
  const wasm = required(wasmClusterCompressor());
  for (const whole of [far, new Uint8Array(BATCH_BYTES), text(BATCH_BYTES, 3), noise(BATCH_BYTES, 4)]) {
    assert.deepEqual(compressed([whole], wasm), compressed([whole], clusterCompressor()));
  }
});

test('without WebAssembly there is none', () => {
  const { WebAssembly: host } = globalThis as { WebAssembly?: unknown };
  try {
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    assert.equal(wasmClusterCompressor(), undefined);
  } finally {
    Object.defineProperty(globalThis, 'WebAssembly', { value: host, configurable: true, writable: true });
  }
});

/** What is used of it here; the declarations of Node.js leave it out. */
interface WebAssemblyHost {
  readonly Module: new (octets: Uint8Array) => object;
  readonly Memory: new (size: { initial: number }) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly run: () => number } };
}

test('constants of every length are what they are in the module', () => {
  const host = (globalThis as unknown as { WebAssembly: WebAssemblyHost }).WebAssembly;
  const memory = new host.Memory({ initial: 1 });
  for (const constant of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, 1 << 20, 2 ** 31 - 1, -(2 ** 31)]) {
    const octets = assemble([{ name: 'run', parameterCount: 0, locals: [], body: [i32.add(constant, 0)] }]);
    assert.equal(new host.Instance(new host.Module(octets), { env: { memory } }).exports.run(), constant);
  }
});
