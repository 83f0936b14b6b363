// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, concatBytes, HexError, parseHex, parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { type TpmHash, tpmHashSize } from '@vouchsafe/tpm';
import { EventLogError } from '../error.ts';
import { IMA_LIMITS, type LogLimits } from '../limits.ts';
import { templateFields } from './fields.ts';
import type { ImaEvent } from './list.ts';
import { templateDigest } from './template-digest.ts';

export interface ImaAsciiOptions {
  readonly limits?: LogLimits;
  /** Of the template digests; the SHA of their length unless given. */
  readonly templateHash?: TpmHash;
}

const MAX_PCR = 0xffff_ffff;
const HASH_BY_DIGITS: Readonly<Record<number, TpmHash>> = { 40: 'sha1', 64: 'sha256', 96: 'sha384', 128: 'sha512' };

/**
 * IMA's list in its text form, ascii_runtime_measurements: PCR, template digest, template, and the template's fields
 * between spaces. Linux, ima_fs.c (ima_ascii_measurements_show) and ima_template_lib.c.
 *
 * The data of each entry is put together again, so that it can be replayed in any bank. The text does not say where a name
 * with spaces ends when a field may follow: of the ways to read a line, the one counts whose data has the template digest;
 * if none has, the first one, and a replay will say so. A name with a line feed in it cannot be read back: that, too, the
 * template digest shows.
 * @throws {EventLogError} 'log_malformed' for a line that is no entry, 'log_limit'
 */
export function decodeImaAscii(bytes: Uint8Array, options: ImaAsciiOptions = {}): ImaEvent[] {
  const { limits = IMA_LIMITS, templateHash } = options;
  const events: ImaEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineFeed = bytes.indexOf(0x0a, at);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    const place = { event: events.length, offset: at };
    if (events.length >= limits.maxEvents) {
      throw new EventLogError('log_limit', `expected at most ${limits.maxEvents} entries, found more`, place);
    }
    // Twice, as data is in hexadecimal, and the fields in front.
    if (end - at > 2 * limits.maxEventBytes) throw new EventLogError('log_limit', 'the line is too long', place);
    if (end > at) {
      const endOffset = Math.min(end + 1, bytes.length);
      events.push(parseLine(bytes.subarray(at, end), { index: events.length, offset: at, endOffset, templateHash }));
    }
    at = end + 1;
  }
  return events;
}

interface LinePlace {
  readonly index: number;
  readonly offset: number;
  readonly endOffset: number;
  readonly templateHash: TpmHash | undefined;
}

function parseLine(line: Uint8Array, { index, offset, endOffset, templateHash }: LinePlace): ImaEvent {
  const fail = (message: string, options: ErrorOptions = {}): never => {
    throw new EventLogError('log_malformed', message, { event: index, offset, ...options });
  };
  let text: string;
  try {
    text = parseUtf8(line);
  } catch (cause) {
    if (cause instanceof TextError) return fail('expected UTF-8', { cause });
    throw cause;
  }
  const [, pcrText = '', digestText = '', type = '', rest = ''] =
    /^ *([0-9]{1,10}) ([0-9a-f]+) ([!-~]{1,255})(?: ([\s\S]*))?$/.exec(text) ??
    fail('expected a PCR, a digest and a template');
  const pcr = Number(pcrText);
  const bank = templateHash ?? HASH_BY_DIGITS[digestText.length];
  if (pcr > MAX_PCR) fail('expected the number of a PCR');
  if (bank === undefined || 2 * tpmHashSize(bank) !== digestText.length)
    return fail(`expected a template digest, found ${digestText.length} digits`);
  const digest = parseHex(digestText);
  const isViolation = digest.every((octet) => octet === 0);
  const data = dataOf(type, rest, digest, bank, isViolation) ?? fail(`expected the fields of template ${type}`);
  return { source: 'ima', index, offset, pcr, type, digests: [{ bank, digest }], data, endOffset, isViolation };
}

/** The data that the line stands for; undefined where it is none of that template. */
function dataOf(
  type: string,
  rest: string,
  digest: Uint8Array,
  bank: TpmHash,
  isViolation: boolean,
): Uint8Array | undefined {
  const fields = templateFields(type);
  if (fields === undefined) return utf8(rest);
  let first: Uint8Array | undefined;
  for (const values of readings(fields, rest)) {
    const data = joined(type, values);
    if (isViolation || bytesEqual(templateDigest(type, data, bank), digest)) return data;
    first ??= data;
  }
  return first;
}

function joined(type: string, values: readonly Uint8Array[]): Uint8Array {
  const [digest, name] = values;
  // Template 'ima' has no length in front of its digest.
  if (type === 'ima' && digest !== undefined && name !== undefined) return concatBytes(digest, sized(name));
  return concatBytes(...values.map(sized));
}

function sized(value: Uint8Array): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, value.length, true);
  return concatBytes(head, value);
}

/** Ways to read one line at most. */
const MAX_READINGS = 16;

/**
 * The ways to read the fields of a line: the name may hold spaces, and fields behind it may be empty, of which a space is
 * all that the kernel writes (or nothing, at the end of the line).
 */
function* readings(fields: readonly string[], rest: string): Generator<Uint8Array[]> {
  const at = fields.findIndex((field) => field === 'n-ng' || field === 'n');
  const isName = at === 1 && fields.length <= 15;
  const space = rest.indexOf(' ');
  const head = space < 0 ? rest : rest.slice(0, space);
  const first = digestField(fields[0] ?? '', head);
  if (!isName || first === undefined) return;
  const words = space < 0 ? [] : rest.slice(space + 1).split(' ');
  const behind = fields.length - 2;
  // How many of the fields behind the name the line has; the others are empty.
  for (let count = Math.min(behind, words.length - 1), made = 0; count >= 0 && made < MAX_READINGS; count--, made++) {
    const name = words.slice(0, words.length - count).join(' ');
    const values = words.slice(words.length - count).map((word, i) => field(fields[2 + i] ?? '', word));
    if (values.some((value) => value === undefined)) continue;
    const empty = Array.from({ length: behind - count }, () => new Uint8Array());
    const nameField = fields[1] === 'n' && fields.length === 2 ? utf8(name) : utf8(`${name}\0`);
    yield [first, nameField, ...(values as Uint8Array[]), ...empty];
  }
}

/** 'sha256:00ff…' is the name, a colon, a NUL and the digest; of field d, the digest alone. */
function digestField(name: string, text: string): Uint8Array | undefined {
  if (name === 'd') return hex(text);
  const colon = text.lastIndexOf(':');
  const digest = hex(text.slice(colon + 1));
  if (digest === undefined || !/^[a-z0-9_:-]*$/.test(text.slice(0, colon + 1))) return undefined;
  // Old kernels leave the name out for SHA-1 and MD5.
  return colon < 0 ? digest : concatBytes(ascii(`${text.slice(0, colon + 1)}\0`), digest);
}

function field(name: string, text: string): Uint8Array | undefined {
  switch (name) {
    case 'd-modsig':
      return text === '' ? new Uint8Array() : digestField('d-ng', text);
    case 'xattrnames':
      return utf8(`${text}\0`);
    case 'iuid':
    case 'igid':
    case 'imode':
      return numberField(text, name === 'imode' ? 2 : 4);
    default:
      return hex(text);
  }
}

/** Numbers are written in decimal, but for the lengths of the attributes. */
function numberField(text: string, size: number): Uint8Array | undefined {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value >= 256 ** size) return undefined;
  return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
}

function hex(text: string): Uint8Array | undefined {
  try {
    return parseHex(text);
  } catch (error) {
    if (error instanceof HexError) return undefined;
    throw error;
  }
}

/** True where a text starts like a list: 'PCR digest template '. */
export function isImaAscii(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 400));
  const digits = /^ *[0-9]{1,10} ([0-9a-f]+) [!-~]+(?: |$)/m.exec(start.split('\n')[0] ?? '')?.[1]?.length;
  return digits !== undefined && Object.hasOwn(HASH_BY_DIGITS, digits);
}
