// SPDX-License-Identifier: Apache-2.0
// Canonical event logs, written by hand and not by the declarations under test. TCG Canonical Event Log Format 1.1, section 5.
import assert from 'node:assert/strict';
import { concatBytes, parseHex, toHex, utf8 } from '@vouchsafe/base';
import { TPM_HASH, tpmDigest } from '@vouchsafe/tpm';
import { imaNgData } from './support.ts';

type Content =
  | { readonly pcclient: readonly [type: number, data: Uint8Array] }
  | { readonly ima: readonly [name: string, data: Uint8Array] }
  | { readonly systemd: Readonly<Record<string, unknown>> }
  | { readonly mgt: readonly [type: number, data?: bigint | readonly [number, number]] };

/** A record to write in each encoding. */
export interface MadeRecord {
  readonly recnum: number;
  readonly pcr?: number;
  readonly nv?: number;
  readonly measured: Uint8Array;
  readonly content: Content;
}

const COMMAND = utf8('quiet');
const TEMPLATE = imaNgData('/init');
export const RECORDS: readonly MadeRecord[] = [
  { recnum: 0, pcr: 0, measured: utf8(''), content: { mgt: [1, [1, 1]] } },
  { recnum: 1, pcr: 4, measured: COMMAND, content: { pcclient: [0x8000_0007, COMMAND] } },
  { recnum: 0, pcr: 10, measured: TEMPLATE, content: { ima: ['ima-ng', TEMPLATE] } },
  { recnum: 2, pcr: 0, measured: utf8(''), content: { mgt: [2] } },
  { recnum: 0, pcr: 12, measured: utf8('t'), content: { mgt: [80, 1700000000n] } },
  { recnum: 1, pcr: 12, measured: utf8('s'), content: { mgt: [81, 2n] } },
  { recnum: 0, nv: 0x01d10200, measured: utf8('x'), content: { pcclient: [0x7777, utf8('x')] } },
];
export const SYSTEMD: MadeRecord = {
  recnum: 0,
  pcr: 11,
  measured: utf8('ready'),
  content: { systemd: { eventType: 'phase', string: 'ready', bootId: '0' } },
};
const isUnmeasured = ({ content }: MadeRecord): boolean => 'mgt' in content && content.mgt[0] < 80;
const digestOf = (made: MadeRecord): Uint8Array =>
  isUnmeasured(made) ? new Uint8Array(32) : tpmDigest('sha256', made.measured);

const MGT_NAMES: Readonly<Record<number, string>> = {
  1: 'cel_version',
  2: 'firmware_end',
  80: 'cel_timestamp',
  81: 'state_trans',
};

export function json(records: readonly MadeRecord[]): Uint8Array {
  const documents = records.map((made) => {
    const { recnum, pcr, nv, content } = made;
    const digests = [{ hashAlg: 'sha256', digest: toHex(digestOf(made)) }];
    const head = { recnum, pcr, nv_index: nv, digests };
    if ('pcclient' in content) {
      const [type, data] = content.pcclient;
      const eventType = type === 0x8000_0007 ? 'EV_EFI_ACTION' : type;
      return { ...head, content_type: 'pcclient_std', content: { event_type: eventType, event_data: toHex(data) } };
    }
    if ('ima' in content) {
      const [name, data] = content.ima;
      return { ...head, content_type: 'ima_template', content: { template_name: name, template_data: toHex(data) } };
    }
    if ('systemd' in content) return { ...head, content_type: 'systemd', content: content.systemd };
    const [type, data] = content.mgt;
    const value = typeof data === 'bigint' ? Number(data) : data && { major: data[0], minor: data[1] };
    return { ...head, content_type: 'cel', content: { type: MGT_NAMES[type], data: type === 81 ? 'kexec' : value } };
  });
  return utf8(JSON.stringify(documents));
}

export function tlv(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = concatBytes(...parts);
  const head = new Uint8Array(5);
  head[0] = type;
  new DataView(head.buffer).setUint32(1, value.length);
  return concatBytes(head, value);
}

export const big = (value: bigint | number): Uint8Array => {
  const hex = value.toString(16);
  return parseHex(hex.length % 2 === 0 ? hex : `0${hex}`);
};

export function tlvLog(records: readonly MadeRecord[]): Uint8Array {
  const contentOf = (content: Content): Uint8Array => {
    if ('pcclient' in content) return tlv(5, tlv(0, big(content.pcclient[0])), tlv(1, content.pcclient[1]));
    if ('ima' in content) return tlv(7, tlv(0, utf8(content.ima[0])), tlv(1, content.ima[1]));
    assert.ok('mgt' in content);
    const [type, data] = content.mgt;
    if (data === undefined) return tlv(4, tlv(type));
    return tlv(
      4,
      typeof data === 'bigint' ? tlv(type, big(data)) : tlv(type, tlv(0, big(data[0])), tlv(1, big(data[1]))),
    );
  };
  return concatBytes(
    ...records.map((made) =>
      concatBytes(
        tlv(0, big(made.recnum)),
        made.pcr === undefined ? tlv(2, big(made.nv ?? 0)) : tlv(1, big(made.pcr)),
        tlv(3, tlv(TPM_HASH.sha256, digestOf(made))),
        contentOf(made.content),
      ),
    ),
  );
}

/** RFC 8949: a head, in its shortest form. */
export function head(major: number, value: bigint | number): Uint8Array {
  const n = BigInt(value);
  if (n < 24n) return Uint8Array.of((major << 5) | Number(n));
  const size = n < 0x100n ? 0 : n < 0x1_0000n ? 1 : n < 0x1_0000_0000n ? 2 : 3;
  return concatBytes(Uint8Array.of((major << 5) | (24 + size)), parseHex(n.toString(16).padStart(2 << size, '0')));
}
const uint = (value: bigint | number): Uint8Array => head(0, value);
const bstr = (value: Uint8Array): Uint8Array => concatBytes(head(2, value.length), value);
const tstr = (value: string): Uint8Array => concatBytes(head(3, utf8(value).length), utf8(value));
const map = (...pairs: readonly (readonly [number, Uint8Array])[]): Uint8Array =>
  concatBytes(head(5, pairs.length), ...pairs.flatMap(([key, value]) => [uint(key), value]));

export function cborRecord(made: MadeRecord): Uint8Array {
  const { recnum, pcr, nv, content } = made;
  const digests = concatBytes(head(4, 1), map([0, uint(TPM_HASH.sha256)], [1, bstr(digestOf(made))]));
  const [type, value] = ((): readonly [number, Uint8Array] => {
    if ('pcclient' in content) return [5, map([0, uint(content.pcclient[0])], [1, bstr(content.pcclient[1])])];
    if ('ima' in content) return [7, map([0, tstr(content.ima[0])], [1, bstr(content.ima[1])])];
    if ('systemd' in content) return [9, bstr(utf8(JSON.stringify(content.systemd)))];
    const [kind, data] = content.mgt;
    if (data === undefined) return [4, map([0, uint(kind)])];
    const inner = typeof data === 'bigint' ? uint(data) : map([0, uint(data[0])], [1, uint(data[1])]);
    return [4, map([0, uint(kind)], [1, inner])];
  })();
  const register: readonly [number, Uint8Array] = pcr === undefined ? [2, uint(nv ?? 0)] : [1, uint(pcr)];
  return map([0, uint(recnum)], register, [3, digests], [9, uint(type)], [10, value]);
}

export const cbor = (records: readonly MadeRecord[]): Uint8Array =>
  concatBytes(head(4, records.length), ...records.map(cborRecord));
