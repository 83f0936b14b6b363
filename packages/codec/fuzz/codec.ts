// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { decode, encode } from '@vouchsafe/codec';
import type { FuzzTarget } from '@vouchsafe/testing';
import { FORMATS } from '../test/formats.ts';

/** The first octet chooses the format; what that accepts must be written back the same. */
export const target: FuzzTarget = {
  name: 'codec',
  seeds: () => FORMATS.map(({ seed }, i) => Uint8Array.of(i, ...seed)),
  run: (input) => {
    const { codec } = FORMATS[(input[0] ?? 0) % FORMATS.length] as (typeof FORMATS)[number];
    const octets = input.slice(1);
    const value = decode(codec, octets);
    assert.deepEqual(encode(codec, value), octets);
  },
};
