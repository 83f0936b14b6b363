// SPDX-License-Identifier: Apache-2.0
// TPMS_ATTEST twice: declared, and written by hand with DataView and the same checks. The yardstick of the codec's speed.
import {
  type Codec,
  checked,
  constant,
  enumOf,
  type Infer,
  list,
  mapped,
  openEnumOf,
  rest,
  select,
  sized,
  struct,
  u8,
  u16be,
  u32be,
  u64be,
} from '@vouchsafe/codec';

const tpm2b = <T>(inner: Codec<T>, max: number): Codec<T> => sized(u16be, inner, max);
const yesNo = mapped(
  'TPMI_YES_NO',
  checked(u8, (n) => n < 2, '0 or 1'),
  (n) => n === 1,
  Number,
);

/** TPM 2.0 Library, Part 2, section 10.6.2. */
export const tpmsPcrSelection = struct('TPMS_PCR_SELECTION', {
  hash: openEnumOf(u16be, { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d }),
  pcrSelect: sized(u8, rest, 4),
});

/** TPM 2.0 Library, Part 2, section 10.12.12, with two of its arms. */
export const tpmsAttest = struct('TPMS_ATTEST', {
  magic: constant(u32be, 0xff544347),
  type: enumOf(u16be, { certify: 0x8017, quote: 0x8018 }),
  qualifiedSigner: tpm2b(rest, 68),
  extraData: tpm2b(rest, 64),
  clockInfo: struct('TPMS_CLOCK_INFO', { clock: u64be, resetCount: u32be, restartCount: u32be, safe: yesNo }),
  firmwareVersion: u64be,
  attested: select('type', {
    certify: struct('TPMS_CERTIFY_INFO', { name: tpm2b(rest, 68), qualifiedName: tpm2b(rest, 68) }),
    quote: struct('TPMS_QUOTE_INFO', { pcrSelect: list(u32be, tpmsPcrSelection, 16), pcrDigest: tpm2b(rest, 64) }),
  }),
});
export type TpmsAttest = Infer<typeof tpmsAttest>;
export type TpmsQuote = Extract<TpmsAttest, { type: 'quote' }>;

const HASHES = new Map<number, 'sha1' | 'sha256' | 'sha384' | 'sha512'>([
  [0x0004, 'sha1'],
  [0x000b, 'sha256'],
  [0x000c, 'sha384'],
  [0x000d, 'sha512'],
]);
const HASH_IDS = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;

/** A quote by hand, with the same result and the same refusals as the declaration; only the messages are poorer. */
export function decodeQuoteByHand(b: Uint8Array): TpmsQuote {
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const end = b.length;
  let p = 0;
  const need = (n: number): void => {
    if (n > end - p) throw new Error(`truncated at ${p}`);
  };
  const blob = (max: number): Uint8Array => {
    need(2);
    const n = v.getUint16(p);
    if (n > max) throw new Error(`too long at ${p}`);
    p += 2;
    need(n);
    p += n;
    return b.subarray(p - n, p);
  };
  need(6);
  if (v.getUint32(0) !== 0xff544347) throw new Error('magic');
  if (v.getUint16(4) !== 0x8018) throw new Error('type');
  p = 6;
  const qualifiedSigner = blob(68);
  const extraData = blob(64);
  need(29);
  const safe = v.getUint8(p + 16);
  if (safe > 1) throw new Error('safe');
  const clockInfo = {
    clock: v.getBigUint64(p),
    resetCount: v.getUint32(p + 8),
    restartCount: v.getUint32(p + 12),
    safe: safe === 1,
  };
  const firmwareVersion = v.getBigUint64(p + 17);
  const count = v.getUint32(p + 25);
  p += 29;
  if (count > 16) throw new Error('count');
  const pcrSelect: { hash: number | 'sha1' | 'sha256' | 'sha384' | 'sha512'; pcrSelect: Uint8Array }[] = [];
  for (let i = 0; i < count; i++) {
    need(3);
    const hash = v.getUint16(p);
    const n = v.getUint8(p + 2);
    if (n > 4) throw new Error('selection');
    p += 3;
    need(n);
    pcrSelect.push({ hash: HASHES.get(hash) ?? hash, pcrSelect: b.subarray(p, p + n) });
    p += n;
  }
  const pcrDigest = blob(64);
  if (p !== end) throw new Error('trailing');
  return {
    magic: 0xff544347,
    type: 'quote',
    qualifiedSigner,
    extraData,
    clockInfo,
    firmwareVersion,
    attested: { pcrSelect, pcrDigest },
  };
}

export function encodeQuoteByHand(q: TpmsQuote): Uint8Array {
  const { qualifiedSigner, extraData, clockInfo, attested } = q;
  if (
    qualifiedSigner.length > 68 ||
    extraData.length > 64 ||
    attested.pcrDigest.length > 64 ||
    attested.pcrSelect.length > 16
  ) {
    throw new Error('too long');
  }
  let size = 6 + 2 + qualifiedSigner.length + 2 + extraData.length + 29 + 2 + attested.pcrDigest.length;
  for (const s of attested.pcrSelect) size += 3 + s.pcrSelect.length;
  const b = new Uint8Array(size);
  const v = new DataView(b.buffer);
  let p = 6;
  const blob = (x: Uint8Array): void => {
    v.setUint16(p, x.length);
    b.set(x, p + 2);
    p += 2 + x.length;
  };
  v.setUint32(0, q.magic);
  v.setUint16(4, 0x8018);
  blob(qualifiedSigner);
  blob(extraData);
  v.setBigUint64(p, clockInfo.clock);
  v.setUint32(p + 8, clockInfo.resetCount);
  v.setUint32(p + 12, clockInfo.restartCount);
  v.setUint8(p + 16, clockInfo.safe ? 1 : 0);
  v.setBigUint64(p + 17, q.firmwareVersion);
  v.setUint32(p + 25, attested.pcrSelect.length);
  p += 29;
  for (const s of attested.pcrSelect) {
    if (s.pcrSelect.length > 4) throw new Error('selection');
    v.setUint16(p, typeof s.hash === 'number' ? s.hash : HASH_IDS[s.hash]);
    v.setUint8(p + 2, s.pcrSelect.length);
    b.set(s.pcrSelect, p + 3);
    p += 3 + s.pcrSelect.length;
  }
  blob(attested.pcrDigest);
  return b;
}

/** A quote over PCR 0-15 in one bank, 145 octets. */
export const QUOTE: TpmsQuote = {
  magic: 0xff544347,
  type: 'quote',
  qualifiedSigner: new Uint8Array(34).fill(0x11),
  extraData: new Uint8Array(32).fill(0x22),
  clockInfo: { clock: 123456789n, resetCount: 7, restartCount: 0, safe: true },
  firmwareVersion: 0x20191023_00163636n,
  attested: {
    pcrSelect: [{ hash: 'sha256', pcrSelect: Uint8Array.of(0xff, 0xff, 0) }],
    pcrDigest: new Uint8Array(32).fill(0x33),
  },
};
