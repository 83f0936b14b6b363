// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import { isTpmHash, TPM_HASH, type TpmBank, tpmHashSize } from '@vouchsafe/tpm';
import type { EventDigest } from '../event.ts';
import { isObject, requireDistinct } from '../userspace/json-record.ts';
import type { CborReader } from './cbor-reader.ts';
import { CEL_MANAGEMENT, CEL_STATES, type CelManagement } from './management.ts';
import { CEL_CONTENT, type CelContent, type CelRecord, pcClientType } from './record.ts';

const MAX_DIGESTS = 16;
const MAX_DIGEST_BYTES = 64;
const UNSIGNED_MAJOR = 0;

const HASH_BY_NUMBER = new Map<number, TpmBank>(Object.entries(TPM_HASH).map(([name, n]) => [n, name as TpmBank]));

/**
 * The next record, a map: 0 recnum, 1 pcr or 2 nv_index, 3 digests, 9 content_type, 10 content. CEL 1.1, section 5.2.
 * @throws {CodecError}
 */
export function readCelCborRecord(r: CborReader, maxBytes: number): CelRecord {
  const at = r.pos;
  if (r.map(5) !== 5) throw new CodecError('mismatch', at, 'expected a record of five members');
  r.key(0, 'recnum');
  const recnum = r.unsigned();
  const keyAt = r.pos;
  const key = r.small(2);
  if (key === 0) throw new CodecError('mismatch', keyAt, 'expected pcr (1) or nv_index (2)');
  const index = r.small(0xffff_ffff);
  r.key(3, 'digests');
  const digests = readDigests(r);
  r.key(9, 'content_type');
  const type = r.small(0xffff_ffff);
  r.key(10, 'content');
  const content = readContent(r, type, maxBytes);
  return { recnum, register: key === 1 ? { pcr: index } : { nvIndex: index }, digests, content };
}

function readDigests(r: CborReader): EventDigest[] {
  const count = r.array(MAX_DIGESTS);
  const digests: EventDigest[] = [];
  while (digests.length < count) {
    const at = r.pos;
    if (r.map(2) !== 2) throw new CodecError('mismatch', at, 'expected hashAlg and digest');
    r.key(0, 'hashAlg');
    const number = r.small(0xffff);
    r.key(1, 'digest');
    const bank = HASH_BY_NUMBER.get(number) ?? number;
    const digest = r.byteString(MAX_DIGEST_BYTES);
    if (isTpmHash(bank) && digest.length !== tpmHashSize(bank)) {
      throw new CodecError('invalid', at, `expected a ${bank} digest, found ${digest.length} octets`);
    }
    digests.push({ bank, digest });
  }
  return requireDistinct(digests);
}

function readContent(r: CborReader, type: number, maxBytes: number): CelContent {
  const at = r.pos;
  switch (type) {
    case CEL_CONTENT.pcclient_std: {
      requirePair(r);
      r.key(0, 'event_type');
      const eventType = pcClientType(r.peek() === UNSIGNED_MAJOR ? r.small(0xffff_ffff) : r.text(255));
      r.key(1, 'event_data');
      return { kind: 'pcclient', eventType, eventData: r.byteString(maxBytes) };
    }
    case CEL_CONTENT.ima_template: {
      requirePair(r);
      r.key(0, 'template_name');
      const templateName = r.text(255);
      r.key(1, 'template_data');
      return { kind: 'ima', templateName, templateData: r.byteString(maxBytes) };
    }
    case CEL_CONTENT.systemd:
      return { kind: 'systemd', json: jsonOf(r.byteString(maxBytes), at) };
    case CEL_CONTENT.cel:
      return { kind: 'management', management: readManagement(r) };
    default:
      return { kind: 'other', type, data: r.item(maxBytes) };
  }
}

function requirePair(r: CborReader): void {
  const at = r.pos;
  if (r.map(2) !== 2) throw new CodecError('mismatch', at, 'expected a map of two members');
}

/** systemd's content is JSON in a byte string: the text as it stands in its own log. */
function jsonOf(bytes: Uint8Array, offset: number): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(parseUtf8(bytes)) as unknown;
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TextError)) throw error;
  }
  throw new CodecError('invalid', offset, 'expected an object of JSON as content');
}

function readManagement(r: CborReader): CelManagement {
  const at = r.pos;
  const count = r.map(2);
  r.key(0, 'type');
  const type = r.small(0xff);
  if (type === CEL_MANAGEMENT.firmware_end && count === 1) return { kind: 'firmwareEnd' };
  if (count === 2 && type !== CEL_MANAGEMENT.firmware_end) {
    r.key(1, 'data');
    switch (type) {
      case CEL_MANAGEMENT.cel_version: {
        requirePair(r);
        r.key(0, 'major');
        const major = r.small(0xffff);
        r.key(1, 'minor');
        return { kind: 'version', major, minor: r.small(0xffff) };
      }
      case CEL_MANAGEMENT.cel_timestamp:
        return { kind: 'timestamp', time: r.unsigned() };
      case CEL_MANAGEMENT.state_trans: {
        const state = CEL_STATES[r.small(CEL_STATES.length - 1)];
        if (state !== undefined) return { kind: 'stateTransition', state };
      }
    }
  }
  throw new CodecError('unknown_value', at, 'expected a management event');
}
