// SPDX-License-Identifier: Apache-2.0
import { HexError, parseHex, utf8 } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import { isTpmHash, TPM_HASH, type TpmBank, tpmHashSize } from '@vouchsafe/tpm';
import type { EventDigest } from '../event.ts';
import type { UserspaceContent } from './content.ts';

/** Banks of one record at most. */
const MAX_DIGESTS = 16;

/** An object of JSON, of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

const refuse = (message: string): never => {
  throw new CodecError('invalid', 0, message);
};

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws {CodecError} */
export function hexField(value: unknown, name: string): Uint8Array {
  if (typeof value !== 'string') return refuse(`expected ${name} in hexadecimal`);
  try {
    return parseHex(value);
  } catch (error) {
    if (error instanceof HexError) return refuse(`${name}: ${error.message}`);
    throw error;
  }
}

/** @throws {CodecError} */
export function unsignedField(value: unknown, name: string, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  return refuse(`expected ${name} as a number up to ${max}`);
}

/** Numbers as well as names, in either case and with - or _: the specification's texts are 'sha256', 'sha3-256'. */
function bankOf(value: unknown): TpmBank {
  if (typeof value === 'number') {
    const name = Object.entries(TPM_HASH).find(([, number]) => number === value)?.[0];
    return isTpmHash(name) ? name : unsignedField(value, 'hashAlg', 0xffff);
  }
  const name = typeof value === 'string' ? value.toLowerCase().replace('-', '_') : undefined;
  return isTpmHash(name) ? name : refuse("expected hashAlg as the name of a hash, as 'sha256'");
}

/**
 * The member `digests` of a canonical record in JSON.
 * @throws {CodecError} also for two digests of one bank, and one of another size than its bank's
 */
export function jsonDigests(value: unknown): EventDigest[] {
  if (!Array.isArray(value)) return refuse('expected digests as a list');
  if (value.length > MAX_DIGESTS) throw new CodecError('limit', 0, `${value.length} digests exceed ${MAX_DIGESTS}`);
  const digests = value.map((entry: unknown): EventDigest => {
    if (!isObject(entry)) return refuse('expected hashAlg and digest');
    const bank = bankOf(entry.hashAlg);
    const digest = hexField(entry.digest, 'digest');
    if (isTpmHash(bank) && digest.length !== tpmHashSize(bank)) {
      return refuse(`expected a ${bank} digest of ${tpmHashSize(bank)} octets, found ${digest.length}`);
    }
    return { bank, digest };
  });
  return requireDistinct(digests);
}

/** @throws {CodecError} for two digests of one bank: which of them was extended is anybody's guess */
export function requireDistinct(digests: EventDigest[]): EventDigest[] {
  if (new Set(digests.map(({ bank }) => bank)).size !== digests.length) refuse('expected one digest for each bank');
  return digests;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The content of systemd's records; members of other types than systemd writes are left out. */
export function systemdContent(content: JsonObject): UserspaceContent {
  const { timestamp } = content;
  const timestampUs = typeof timestamp === 'number' && Number.isSafeInteger(timestamp) ? timestamp : undefined;
  const fields = {
    eventType: textOf(content.eventType),
    string: textOf(content.string),
    bootId: textOf(content.bootId),
    timestampUs,
    nvIndexName: textOf(content.nvIndexName),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What stands for the measured data: the text as systemd measures it, without a NUL. */
export function systemdData({ string }: UserspaceContent): Uint8Array {
  return utf8(string ?? '');
}
