// SPDX-License-Identifier: Apache-2.0
// 100,000 small records twice: declared, and by hand. One record of integers only, one with bytes of its own length.
import {
  decode,
  encode,
  enumOf,
  type Infer,
  list,
  rest,
  sized,
  struct,
  u8,
  u16le,
  u32le,
  u64le,
} from '@vouchsafe/codec';

export const RECORD_COUNT = 100_000;
const MAX = 1_000_000;
const KINDS = { file: 1, folder: 2, link: 3 } as const;
const KIND_NAMES = new Map(Object.entries(KINDS).map(([name, value]) => [value as number, name as keyof typeof KINDS]));

/** As a directory entry of EROFS, in shape. */
const record = struct('record', { id: u64le, nameOffset: u16le, kind: enumOf(u8, KINDS), links: u8, mode: u32le });
/** As an entry of an event log, in shape. */
const event = struct('event', {
  pcr: u32le,
  type: u32le,
  digest: sized(u16le, rest, 64),
  data: sized(u32le, rest, 1024),
});
const records = list(u32le, record, MAX);
const events = list(u32le, event, MAX);
type Rec = Infer<typeof record>;
type Ev = Infer<typeof event>;

export const recordBytes = encode(
  records,
  Array.from(
    { length: RECORD_COUNT },
    (_, i): Rec => ({ id: BigInt(i), nameOffset: i % 4096, kind: 'link', links: i % 7, mode: i }),
  ),
);
export const eventBytes = encode(
  events,
  Array.from(
    { length: RECORD_COUNT },
    (_, i): Ev => ({
      pcr: i % 24,
      type: 0x8000_0001,
      digest: new Uint8Array(32).fill(i),
      data: new Uint8Array(i % 48),
    }),
  ),
);

export const decodeRecords = (): Rec[] => decode(records, recordBytes);
export const decodeEvents = (): Ev[] => decode(events, eventBytes);
export const encodeRecords = (values: Rec[]): Uint8Array => encode(records, values);

const truncated = (at: number): never => {
  throw new Error(`truncated at ${at}`);
};

export function decodeRecordsByHand(): Rec[] {
  const b = recordBytes;
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength);
  if (b.length < 4) truncated(0);
  const count = v.getUint32(0, true);
  if (count > MAX) throw new Error('count');
  const out: Rec[] = [];
  let p = 4;
  for (let i = 0; i < count; i++) {
    if (b.length - p < 16) truncated(p);
    const kind = KIND_NAMES.get(v.getUint8(p + 10));
    if (kind === undefined) throw new Error(`kind at ${p + 10}`);
    out.push({
      id: v.getBigUint64(p, true),
      nameOffset: v.getUint16(p + 8, true),
      kind,
      links: v.getUint8(p + 11),
      mode: v.getUint32(p + 12, true),
    });
    p += 16;
  }
  if (p !== b.length) throw new Error('trailing');
  return out;
}

export function decodeEventsByHand(): Ev[] {
  const b = eventBytes;
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength);
  if (b.length < 4) truncated(0);
  const count = v.getUint32(0, true);
  if (count > MAX) throw new Error('count');
  const out: Ev[] = [];
  let p = 4;
  for (let i = 0; i < count; i++) {
    if (b.length - p < 10) truncated(p);
    const pcr = v.getUint32(p, true);
    const type = v.getUint32(p + 4, true);
    const n = v.getUint16(p + 8, true);
    p += 10;
    if (n > 64 || b.length - p < n + 4) truncated(p);
    const digest = b.subarray(p, p + n);
    p += n;
    const size = v.getUint32(p, true);
    p += 4;
    if (size > 1024 || b.length - p < size) truncated(p);
    out.push({ pcr, type, digest, data: b.subarray(p, p + size) });
    p += size;
  }
  if (p !== b.length) throw new Error('trailing');
  return out;
}

function requireInteger(x: number, max: number): void {
  if (!Number.isInteger(x) || x < 0 || x > max) throw new Error(`${x} does not fit`);
}

/** With the refusals that the declaration has: a value that does not fit is an error, not other bytes. */
export function encodeRecordsByHand(values: Rec[]): Uint8Array {
  if (values.length > MAX) throw new Error('count');
  const b = new Uint8Array(4 + 16 * values.length);
  const v = new DataView(b.buffer);
  v.setUint32(0, values.length, true);
  let p = 4;
  for (const x of values) {
    if (typeof x.id !== 'bigint' || x.id < 0n || x.id > 0xffff_ffff_ffff_ffffn) throw new Error('id');
    requireInteger(x.nameOffset, 0xffff);
    if (!Object.hasOwn(KINDS, x.kind)) throw new Error(`kind ${x.kind}`);
    requireInteger(x.links, 0xff);
    requireInteger(x.mode, 0xffff_ffff);
    v.setBigUint64(p, x.id, true);
    v.setUint16(p + 8, x.nameOffset, true);
    v.setUint8(p + 10, KINDS[x.kind]);
    v.setUint8(p + 11, x.links);
    v.setUint32(p + 12, x.mode, true);
    p += 16;
  }
  return b;
}
