// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError, type Reader } from '@vouchsafe/codec';
import { isTpmHash, TPM_HASH, type TpmBank, tpmHashSize } from '@vouchsafe/tpm';
import type { EventDigest } from '../event.ts';
import { requireDistinct } from '../userspace/json-record.ts';
import { CEL_MANAGEMENT, CEL_STATES, type CelManagement } from './management.ts';
import { CEL_CONTENT, type CelContent, type CelRecord, pcClientType } from './record.ts';

/** One type, length and value. CEL 1.1, section 5.1: one octet, four big-endian, and that many. */
interface Tlv {
  readonly type: number;
  /** Octets from the start of the log. */
  readonly offset: number;
  readonly value: Uint8Array;
}

/**
 * Types of a record's first three fields. The last is no part of the specification: a register of a confidential machine, counted as
 * its CCEL does (1 is RTMR 0), in the logs of Google's Confidential Space.
 */
export const CEL_TLV_FIELD = { recnum: 0, pcr: 1, nvIndex: 2, digests: 3, confidentialRegister: 108 } as const;
/** What a record may be of. */
export const CEL_TLV_REGISTERS: readonly number[] = [
  CEL_TLV_FIELD.pcr,
  CEL_TLV_FIELD.nvIndex,
  CEL_TLV_FIELD.confidentialRegister,
];
const MAX_DIGESTS = 16;
const MAX_PARTS = 64;

/** @throws {CodecError} */
function readTlv(r: Reader, maxBytes: number): Tlv {
  const offset = r.take(5);
  const length = r.view.getUint32(offset + 1);
  if (length > maxBytes) throw new CodecError('limit', offset, `length ${length} exceeds ${maxBytes}`);
  const type = r.view.getUint8(offset);
  return { type, offset, value: r.takeBytes(length) };
}

/** The parts of a value that is a list of TLVs itself. */
function partsOf({ value, offset }: Tlv): Tlv[] {
  const parts: Tlv[] = [];
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  for (let at = 0; at < value.length; ) {
    if (parts.length >= MAX_PARTS) throw new CodecError('limit', offset, `more than ${MAX_PARTS} parts`);
    if (value.length - at < 5) throw new CodecError('truncated', offset + 5 + at, 'expected a type and a length');
    const end = at + 5 + view.getUint32(at + 1);
    if (end > value.length) throw new CodecError('truncated', offset + 5 + at, 'a part that is longer than the whole');
    parts.push({ type: view.getUint8(at), offset: offset + 5 + at, value: value.subarray(at + 5, end) });
    at = end;
  }
  return parts;
}

/** Unsigned, big-endian, in one to eight octets: the specification and what is written differ in the size. */
function unsigned({ value, offset }: Tlv): bigint {
  if (value.length === 0 || value.length > 8) throw new CodecError('invalid', offset, 'expected 1 to 8 octets');
  return value.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

function small(tlv: Tlv, max: number): number {
  const value = unsigned(tlv);
  if (value > BigInt(max)) throw new CodecError('limit', tlv.offset, `${value} exceeds ${max}`);
  return Number(value);
}

const HASH_BY_NUMBER = new Map<number, TpmBank>(Object.entries(TPM_HASH).map(([name, n]) => [n, name as TpmBank]));

function digestsOf(tlv: Tlv): EventDigest[] {
  const parts = partsOf(tlv);
  if (parts.length > MAX_DIGESTS) throw new CodecError('limit', tlv.offset, `more than ${MAX_DIGESTS} digests`);
  const digests = parts.map(({ type, value, offset }): EventDigest => {
    const bank = HASH_BY_NUMBER.get(type) ?? type;
    if (isTpmHash(bank) && value.length !== tpmHashSize(bank)) {
      throw new CodecError('invalid', offset, `expected a ${bank} digest, found ${value.length} octets`);
    }
    return { bank, digest: value };
  });
  return requireDistinct(digests);
}

/**
 * The next record: recnum, the register, the digests, the content, in that order.
 * @throws {CodecError}
 */
export function readCelTlvRecord(r: Reader, maxBytes: number): CelRecord {
  const [recnum, register, digests, content] = [0, 1, 2, 3].map(() => readTlv(r, maxBytes)) as [Tlv, Tlv, Tlv, Tlv];
  const expect = (tlv: Tlv, types: readonly number[], name: string): void => {
    if (!types.includes(tlv.type))
      throw new CodecError('mismatch', tlv.offset, `expected ${name}, found type ${tlv.type}`);
  };
  expect(recnum, [CEL_TLV_FIELD.recnum], 'recnum');
  expect(register, CEL_TLV_REGISTERS, 'pcr or nv_index');
  expect(digests, [CEL_TLV_FIELD.digests], 'digests');
  const index = small(register, 0xffff_ffff);
  return {
    recnum: unsigned(recnum),
    register: register.type === CEL_TLV_FIELD.nvIndex ? { nvIndex: index } : { pcr: index },
    ...(register.type === CEL_TLV_FIELD.confidentialRegister ? { isConfidential: true } : {}),
    digests: digestsOf(digests),
    content: contentOf(content),
  };
}

function contentOf(tlv: Tlv): CelContent {
  switch (tlv.type) {
    case CEL_CONTENT.pcclient_std: {
      const [type, data] = pair(tlv);
      return { kind: 'pcclient', eventType: pcClientType(small(type, 0xffff_ffff)), eventData: data.value };
    }
    case CEL_CONTENT.ima_template: {
      const [name, data] = pair(tlv);
      return { kind: 'ima', templateName: textOf(name), templateData: data.value };
    }
    case CEL_CONTENT.cel:
      return { kind: 'management', management: managementOf(partsOf(tlv)[0], tlv.offset) };
    default:
      return { kind: 'other', type: tlv.type, data: tlv.value };
  }
}

/** Parts 0 and 1, and no others. */
function pair(tlv: Tlv): [Tlv, Tlv] {
  const [first, second, ...rest] = partsOf(tlv);
  if (first?.type !== 0 || second?.type !== 1 || rest.length > 0) {
    throw new CodecError('mismatch', tlv.offset, 'expected the parts 0 and 1 of the content');
  }
  return [first, second];
}

function textOf({ value, offset }: Tlv): string {
  try {
    return parseUtf8(value);
  } catch (error) {
    if (error instanceof TextError) throw new CodecError('invalid', offset, error.message);
    throw error;
  }
}

function managementOf(part: Tlv | undefined, offset: number): CelManagement {
  switch (part?.type) {
    case CEL_MANAGEMENT.cel_version: {
      const [major, minor] = pair(part);
      return { kind: 'version', major: small(major, 0xffff), minor: small(minor, 0xffff) };
    }
    case CEL_MANAGEMENT.firmware_end:
      return { kind: 'firmwareEnd' };
    case CEL_MANAGEMENT.cel_timestamp:
      return { kind: 'timestamp', time: unsigned(part) };
    case CEL_MANAGEMENT.state_trans: {
      const state = CEL_STATES[small(part, CEL_STATES.length - 1)];
      if (state !== undefined) return { kind: 'stateTransition', state };
    }
  }
  throw new CodecError('unknown_value', offset, 'expected a management event');
}
