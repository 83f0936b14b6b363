// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { isTpmHashAvailable, TPM_HASH, type TpmBank, type TpmHash } from '@vouchsafe/tpm';
import { EventLogError } from '../error.ts';
import { decodeImaAscii, type ImaAsciiOptions, isImaAscii } from './ascii.ts';
import { decodeImaList, type ImaEvent, type ImaListOptions } from './list.ts';
import { templateDigest } from './template-digest.ts';

/** IMA's list, in whichever form. */
export interface ImaLog {
  readonly kind: 'ima';
  readonly format: 'binary' | 'ascii';
  /** Of the template digests. */
  readonly templateHash: TpmHash;
  readonly byteOrder: 'little' | 'big';
  /** All that can be replayed: a bank is extended with its own hash of the entry, or what the kernel put in its place. */
  readonly banks: readonly TpmBank[];
  readonly events: readonly ImaEvent[];
}

/** Asked for with the first list: to ask for the rarer hashes takes a millisecond, which other logs need not wait for. */
let allBanks: readonly TpmHash[] | undefined;

function logOf(
  events: readonly ImaEvent[],
  format: ImaLog['format'],
  templateHash: TpmHash,
  byteOrder: ImaLog['byteOrder'],
): ImaLog {
  allBanks ??= (Object.keys(TPM_HASH) as TpmHash[]).filter(isTpmHashAvailable);
  return { kind: 'ima', format, templateHash, byteOrder, banks: allBanks, events };
}

/**
 * IMA's list in its binary form. SM3 has the size of SHA-256: where the first entry is not hashed by the one but by the
 * other, the other is taken.
 * @throws {EventLogError} as `decodeImaList`
 */
export function decodeImaBinaryLog(bytes: Uint8Array, options: ImaListOptions = {}): ImaLog {
  const { templateHash = 'sha1', byteOrder = 'little' } = options;
  const events = decodeImaList(bytes, options);
  if (templateHash === 'sha256' && isSm3(events)) {
    return logOf(decodeImaList(bytes, { ...options, templateHash: 'sm3_256' }), 'binary', 'sm3_256', byteOrder);
  }
  return logOf(events, 'binary', templateHash, byteOrder);
}

function isSm3(events: readonly ImaEvent[]): boolean {
  const first = events.find(({ isViolation }) => !isViolation);
  if (first === undefined || !isTpmHashAvailable('sm3_256')) return false;
  const { type, data, digests } = first;
  return bytesEqual(templateDigest(type, data, 'sm3_256'), digests[0]?.digest ?? data);
}

/** @throws {EventLogError} as `decodeImaAscii`, 'log_malformed' also for lines with different template hashes */
export function decodeImaAsciiLog(bytes: Uint8Array, options: ImaAsciiOptions = {}): ImaLog {
  let events = decodeImaAscii(bytes, options);
  if (options.templateHash === undefined && isSm3(events)) {
    events = decodeImaAscii(bytes, { ...options, templateHash: 'sm3_256' });
  }
  const [first] = events;
  const templateHash = (first?.digests[0]?.bank ?? 'sha1') as TpmHash;
  const odd = events.find(({ digests }) => digests[0]?.bank !== templateHash);
  if (odd !== undefined) {
    throw new EventLogError('log_malformed', `expected a template digest of ${templateHash}`, {
      event: odd.index,
      offset: odd.offset,
    });
  }
  return logOf(events, 'ascii', templateHash, 'little');
}

/** Template hashes that kernels write lists with: SHA-1, and since 6.10 one list for each bank. */
const TEMPLATE_HASHES: readonly TpmHash[] = ['sha1', 'sha256', 'sha384', 'sha512', 'sm3_256'];
/** Octets of a PCR's number. */
const PCR_BYTES = 4;
const MAX_NAME_BYTES = 255;

/** Which form a list has, by its first entry; undefined where it is none. */
export function imaFormatOf(bytes: Uint8Array): ImaListOptions | 'ascii' | undefined {
  if (isImaAscii(bytes)) return 'ascii';
  for (const templateHash of TEMPLATE_HASHES) {
    const size = DIGEST_BYTES[templateHash];
    if (size === undefined || bytes.length < PCR_BYTES + size + 4) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const byteOrder of ['little', 'big'] as const) {
      const isLittle = byteOrder === 'little';
      const nameSize = view.getUint32(PCR_BYTES + size, isLittle);
      const start = PCR_BYTES + size + 4;
      if (view.getUint32(0, isLittle) > 23 || nameSize === 0 || nameSize > MAX_NAME_BYTES) continue;
      if (isTemplateName(bytes.subarray(start, start + nameSize), nameSize)) return { templateHash, byteOrder };
    }
  }
  return undefined;
}

const DIGEST_BYTES: Readonly<Partial<Record<TpmHash, number>>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  sm3_256: 32,
};

/** 'ima-ng', or fields between bars. */
function isTemplateName(name: Uint8Array, size: number): boolean {
  return name.length === size && name.every((octet) => octet > 0x20 && octet < 0x7f);
}
