// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type Codec, CodecError, type CodecErrorCode, decode, encode } from '@vouchsafe/codec';
import fc from 'fast-check';

/** Runs `f` and returns the CodecError it throws, with these properties. */
export function refused(f: () => unknown, code: CodecErrorCode, path: string, offset: number): CodecError {
  try {
    f();
  } catch (error) {
    assert.ok(error instanceof CodecError, `expected a CodecError, got ${error}`);
    assert.deepEqual(
      { code: error.code, path: error.path, offset: error.offset },
      { code, path, offset },
      error.message,
    );
    return error;
  }
  assert.fail('nothing was thrown');
}

/** Value to bytes to value. */
export function roundTrips<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(decode(codec, encode(codec, value)), value);
    }),
  );
}

/** What a codec makes of bytes: a value that gives the same bytes again, or a CodecError. True when it accepts. */
export function acceptsFaithfully(codec: Codec<unknown>, input: Uint8Array): boolean {
  let value: unknown;
  try {
    value = decode(codec, input);
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
  const again = encode(codec, value);
  assert.deepEqual(again, Uint8Array.from(input), 'accepted bytes are written back the same');
  return true;
}

/** Any bytes: accepted and written back the same, or refused with a CodecError. */
export function isFaithful(codec: Codec<unknown>, maxLength = 24): void {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength }), (input) => {
      acceptsFaithfully(codec, input);
    }),
    { numRuns: 300 },
  );
}

/** Each shorter input and one longer is refused. */
export function refusesOtherLengths(codec: Codec<unknown>, whole: Uint8Array): void {
  assert.ok(acceptsFaithfully(codec, whole));
  for (let n = 0; n < whole.length; n++) {
    assert.throws(() => decode(codec, whole.subarray(0, n)), CodecError, `${n} of ${whole.length} bytes`);
  }
  const longer = new Uint8Array(whole.length + 1);
  longer.set(whole);
  refused(() => decode(codec, longer), 'trailing_bytes', codec.name, whole.length);
}

/** A value whose declared type does not matter: what a caller without type checks could pass. */
export const untyped = (x: unknown): never => x as never;

/** Records of plain objects, as `decode` makes them. */
export const plain = { noNullPrototype: true } as const;
