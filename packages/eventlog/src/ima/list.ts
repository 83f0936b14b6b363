// SPDX-License-Identifier: Apache-2.0
import { CodecError, Reader } from '@vouchsafe/codec';
import { type TpmHash, tpmHashSize } from '@vouchsafe/tpm';
import { EventLogError, rethrowInEvent } from '../error.ts';
import type { BootEvent } from '../event.ts';
import { IMA_LIMITS, type LogLimits } from '../limits.ts';

/** An entry of IMA's measurement list. */
export interface ImaEvent extends BootEvent {
  readonly source: 'ima';
  /** Name of the template: 'ima', 'ima-ng', 'ima-sig' and others. */
  readonly type: string;
  /** Octets from the start of the list to the end of this entry: where the next one begins. */
  readonly endOffset: number;
  /**
   * The file was open for writing while it was measured, or the like: the list holds zeros, and the PCR was extended
   * with ones. Kernel: security/integrity/ima/ima_queue.c, ima_add_template_entry.
   */
  readonly isViolation: boolean;
  /** Lengths and numbers are big-endian, as a big-endian machine without ima_canonical_fmt writes them. */
  readonly isBigEndian?: true;
}

export interface ImaListOptions {
  readonly limits?: LogLimits;
  /**
   * The hash of the template digests: SHA-1 in binary_runtime_measurements, another in the kernel's newer
   * binary_runtime_measurements_<hash>.
   */
  readonly templateHash?: TpmHash;
  /** Little unless the machine was big-endian and its kernel was not told ima_canonical_fmt. */
  readonly byteOrder?: 'little' | 'big';
}

/** TCG_EVENT_NAME_LEN_MAX of the kernel's security/integrity/ima/ima.h; longer names are refused by its own reader. */
const MAX_TEMPLATE_NAME_BYTES = 255;
/** Octets of the file digest in the first template, 'ima': SHA-1 or MD5 in a field of 20. */
const IMA_DIGEST_BYTES = 20;
/** IMA_EVENT_NAME_LEN_MAX of security/integrity/ima/ima.h. */
const MAX_IMA_NAME_BYTES = 255;

/**
 * IMA's list in its binary form. Documented in Linux, Documentation/security/IMA-templates.rst; the
 * layout is that of ima_measurements_show in security/integrity/ima/ima_fs.c: PCR, template digest, length and name of
 * the template, length and data. The template 'ima' alone has no length of the data.
 *
 * An empty list is no error: a machine without an IMA policy has none.
 * @throws {EventLogError} 'log_malformed', 'log_limit'
 */
export function decodeImaList(bytes: Uint8Array, options: ImaListOptions = {}): ImaEvent[] {
  const { limits = IMA_LIMITS, templateHash = 'sha1', byteOrder = 'little' } = options;
  const r = new Reader(bytes);
  const isLittle = byteOrder === 'little';
  const readName = templateNameReader(isLittle);
  const events: ImaEvent[] = [];
  while (r.pos < r.end) {
    const index = events.length;
    if (index >= limits.maxEvents) {
      const message = `expected at most ${limits.maxEvents} entries, found more`;
      throw new EventLogError('log_limit', message, { event: index, offset: r.pos });
    }
    try {
      events.push(readEntry(r, index, { readName, templateHash, maxDataBytes: limits.maxEventBytes, isLittle }));
    } catch (error) {
      rethrowInEvent(index, 'IMA entry', error);
    }
  }
  return events;
}

/** PCRs of a PC Client TPM: 0 to 23. */
const LAST_PCR = 23;

/**
 * Octets of the whole entries at the beginning of a part of IMA's list; an entry that was cut off follows them.
 * @returns undefined when the part does not begin with a whole entry: it was taken from somewhere else
 */
export function wholeImaEntriesBytes(part: Uint8Array): number | undefined {
  const r = new Reader(part);
  const format = { readName: templateNameReader(true), templateHash: 'sha1', isLittle: true } as const;
  let end: number | undefined = part.length === 0 ? 0 : undefined;
  try {
    while (r.pos < r.end) {
      const { pcr } = readEntry(r, 0, { ...format, maxDataBytes: IMA_LIMITS.maxEventBytes });
      if (pcr > LAST_PCR) break;
      end = r.pos;
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  return end;
}

interface EntryFormat {
  readonly readName: (r: Reader) => string;
  readonly templateHash: TpmHash;
  readonly maxDataBytes: number;
  readonly isLittle: boolean;
}

function readEntry(r: Reader, index: number, format: EntryFormat): ImaEvent {
  const { readName, templateHash, maxDataBytes, isLittle } = format;
  const offset = r.pos;
  const pcr = readU32(r, isLittle);
  const digest = r.takeBytes(tpmHashSize(templateHash));
  const type = readName(r);
  const data = type === 'ima' ? readImaData(r, isLittle) : r.takeBytes(readSize(r, maxDataBytes, isLittle));
  return {
    source: 'ima',
    index,
    offset,
    pcr,
    type,
    digests: [{ bank: templateHash, digest }],
    data,
    endOffset: r.pos,
    isViolation: isZero(digest),
    ...(isLittle ? {} : { isBigEndian: true as const }),
  };
}

const readU32 = (r: Reader, isLittle: boolean): number => r.view.getUint32(r.take(4), isLittle);

function readSize(r: Reader, max: number, isLittle: boolean): number {
  const at = r.pos;
  const size = readU32(r, isLittle);
  if (size > max) throw new CodecError('limit', at, `size ${size} exceeds ${max}`);
  return size;
}

/** One name follows the other thousands of times: the text is made once for each run of equal ones. */
function templateNameReader(isLittle: boolean): (r: Reader) => string {
  let last = '';
  return (r) => {
    const at = r.pos;
    const size = readSize(r, MAX_TEMPLATE_NAME_BYTES, isLittle);
    const start = r.take(size);
    if (size === 0) throw new CodecError('invalid', at, 'expected the name of a template, found none');
    if (size !== last.length || !isText(r.bytes, start, last)) last = nameIn(r.bytes, start, size, at);
    return last;
  };
}

function nameIn(bytes: Uint8Array, start: number, size: number, at: number): string {
  let name = '';
  for (let i = start; i < start + size; i++) {
    const octet = bytes[i] as number;
    if (octet <= 0x20 || octet >= 0x7f) throw new CodecError('invalid', at, 'expected the name of a template');
    name += String.fromCharCode(octet);
  }
  return name;
}

function isText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Digest, length of the name, name; nothing is said of the whole. */
function readImaData(r: Reader, isLittle: boolean): Uint8Array {
  const start = r.take(IMA_DIGEST_BYTES);
  r.take(readSize(r, MAX_IMA_NAME_BYTES, isLittle));
  return r.bytes.subarray(start, r.pos);
}

function isZero(bytes: Uint8Array): boolean {
  for (const octet of bytes) if (octet !== 0) return false;
  return true;
}
