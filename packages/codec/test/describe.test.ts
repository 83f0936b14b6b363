// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, enumOf, flags, rest, sized, struct, u8, u16be, withBytes, zeros } from '@vouchsafe/codec';

const sample = struct('TCG_SAMPLE', {
  kind: [enumOf(u16be, { quote: 0x8018, certify: 0x8017 }), 'selects a|b'],
  bits: flags(u8, { low: 0, high: 7 }),
  reserved: zeros(5),
  blob: [sized(u16be, rest, 64), 'bytes'],
  last: u8,
});

const PAGE = `## TCG_SAMPLE

| offset | size | field | type | meaning |
|---|---|---|---|---|
| 0 | 2 | \`kind\` | u16be enumeration | selects a\\|b |
| 2 | 1 | \`bits\` | u8 flags |  |
| 3 | 5 | \`reserved\` | zeros(5) |  |
| 8 | varies | \`blob\` | bytes to the end, sized by u16be, at most 64 | bytes |
|  | 1 | \`last\` | u8 |  |

| \`kind\` | value |
|---|---|
| quote | 0x8018 |
| certify | 0x8017 |

| \`bits\` | bit |
|---|---|
| low | 0 |
| high | 7 |`;

test('a structure is a table of its fields', () => {
  assert.equal(describe(sample), PAGE);
  assert.equal(describe(withBytes(sample)), PAGE, 'keeping the bytes changes nothing on the wire');
});

test('a fixed size is stated', () => {
  assert.match(describe(struct('pair', { a: u8, b: u8 })), /^## pair\n\n2 octets\.\n\n\| offset/);
});
