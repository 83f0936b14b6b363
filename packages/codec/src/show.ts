// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';

const MAX_BYTES = 32;
const MAX_CHARACTERS = 80;

/** A value as messages show it: bounded in length whatever the input holds, and it never throws. */
export function show(x: unknown): string {
  if (typeof x === 'bigint' || (typeof x === 'number' && Number.isInteger(x)))
    return x < 0 ? String(x) : `0x${x.toString(16)}`;
  if (typeof x === 'string') return x.length <= MAX_CHARACTERS ? `'${x}'` : `'${x.slice(0, MAX_CHARACTERS)}'…`;
  if (x instanceof Uint8Array) {
    return x.length <= MAX_BYTES ? toHex(x) : `${toHex(x.subarray(0, MAX_BYTES))}… (${x.length} bytes)`;
  }
  // String() runs code of the value's own, and throws on an object without a prototype.
  if (typeof x === 'object' && x !== null) return Array.isArray(x) ? 'an array' : 'an object';
  return typeof x === 'function' ? 'a function' : String(x);
}
