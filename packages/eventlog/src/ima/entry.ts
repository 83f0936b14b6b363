// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError, Reader } from '@vouchsafe/codec';
import { IMA_LIMITS } from '../limits.ts';
import { type DeviceMapperEvent, parseDeviceMapper } from './device-mapper.ts';
import { MAX_FIELDS, templateFields } from './fields.ts';
import type { ImaEvent } from './list.ts';

/** What an entry says was measured. */
export interface ImaFile {
  /** As the kernel names it: 'sha256'. Absent names of old templates are 'sha1'. */
  readonly algorithm: string;
  /** Of the file's content; of 'boot_aggregate', of the PCRs; of a buffer, of the buffer. */
  readonly digest: Uint8Array;
  /** Of templates with d-ngv2: 'ima' for a digest of the content, 'verity' for one of fs-verity. */
  readonly digestType?: string;
  /**
   * The path as it was opened, exactly: it may hold spaces and newlines, and what is not UTF-8 is refused. Of template
   * 'ima' it is cut at 255 octets.
   */
  readonly path: string;
  /** security.ima of the file, where the template has it and the file is signed. */
  readonly signature?: Uint8Array;
  /** Of ima-modsig: the digest without the appended signature, as algorithm and digest, and that signature. */
  readonly modsigDigest?: { readonly algorithm: string; readonly digest: Uint8Array };
  readonly modsig?: Uint8Array;
  /** Of evm-sig: security.evm, and what it covers. */
  readonly evm?: EvmFields;
}

export interface EvmFields {
  readonly signature: Uint8Array;
  /** Extended attributes by name, in the order of the list. */
  readonly xattrs: readonly { readonly name: string; readonly value: Uint8Array }[];
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** An entry taken apart, or the reason why it cannot be. */
export type ImaEntry =
  | { readonly kind: 'file'; readonly file: ImaFile }
  /** Template ima-buf: something that is no file, such as a command line, a key or a device-mapper table. */
  | {
      readonly kind: 'buffer';
      readonly algorithm: string;
      readonly digest: Uint8Array;
      /** What it is: 'kexec-cmdline', 'dm_table_load', the name of a keyring. */
      readonly name: string;
      readonly buffer: Uint8Array;
      readonly deviceMapper?: DeviceMapperEvent;
    }
  /** A template that is not decoded further: its fields, in order. */
  | { readonly kind: 'fields'; readonly fields: readonly Uint8Array[] }
  | { readonly kind: 'raw'; readonly reason: string };

/** Octets of the file's digest in template 'ima'. */
const IMA_DIGEST_BYTES = 20;

/** Takes the data of an entry apart by its template. It never throws: the kernel lets file names hold anything. */
export function decodeImaEntry(event: ImaEvent): ImaEntry {
  return imaEntryOf(event.type, event.data, event.isBigEndian);
}

/**
 * As `decodeImaEntry`, of a template's name and data wherever they come from.
 * @param isBigEndian whether lengths and numbers are: on a big-endian machine without ima_canonical_fmt
 */
export function imaEntryOf(template: string, data: Uint8Array, isBigEndian = false): ImaEntry {
  try {
    if (template === 'ima') return { kind: 'file', file: firstTemplate(data) };
    const values = splitFields(data, isBigEndian);
    const names = templateFields(template);
    if (names === undefined) return { kind: 'fields', fields: values };
    if (values.length !== names.length) {
      return { kind: 'raw', reason: `expected the fields of ${template}, found ${values.length}` };
    }
    return entryOf(new Map(names.map((name, i) => [name, values[i] as Uint8Array])), values, isBigEndian);
  } catch (error) {
    if (error instanceof CodecError || error instanceof TextError) return { kind: 'raw', reason: error.message };
    throw error;
  }
}

/**
 * Template fields: each a 32-bit length in octets and that many. Linux, ima_template_lib.c.
 * @throws {CodecError}
 */
function splitFields(data: Uint8Array, isBigEndian: boolean): Uint8Array[] {
  const r = new Reader(data);
  const fields: Uint8Array[] = [];
  while (r.pos < r.end) {
    const at = r.pos;
    if (fields.length >= MAX_FIELDS) throw new CodecError('limit', at, `more than ${MAX_FIELDS} fields`);
    const size = r.view.getUint32(r.take(4), !isBigEndian);
    if (size > IMA_LIMITS.maxEventBytes) throw new CodecError('limit', at, `size ${size} exceeds the limit`);
    fields.push(r.takeBytes(size));
  }
  return fields;
}

type Fields = ReadonlyMap<string, Uint8Array>;

function entryOf(fields: Fields, values: readonly Uint8Array[], isBigEndian: boolean): ImaEntry {
  const name = fields.get('n-ng') ?? fields.get('n');
  const digest = digestOf(fields);
  if (name === undefined || digest === undefined) return { kind: 'fields', fields: values };
  const path = withoutNul(name);
  const buffer = fields.get('buf');
  if (buffer !== undefined) return bufferEntry(digest, path, buffer);
  const [signature, modsig] = [fields.get('sig'), fields.get('modsig')];
  const modsigDigest = fields.get('d-modsig');
  const evm = evmFields(fields, isBigEndian);
  return {
    kind: 'file',
    file: {
      ...digest,
      path,
      ...(isPresent(signature) ? { signature } : {}),
      ...(isPresent(modsigDigest) ? { modsigDigest: splitDigest(modsigDigest) } : {}),
      ...(isPresent(modsig) ? { modsig } : {}),
      ...(evm === undefined ? {} : { evm }),
    },
  };
}

const isPresent = (field: Uint8Array | undefined): field is Uint8Array => field !== undefined && field.length > 0;

type Digest = Pick<ImaFile, 'algorithm' | 'digest' | 'digestType'>;

function digestOf(fields: Fields): Digest | undefined {
  const plain = fields.get('d');
  if (plain !== undefined) return { algorithm: 'sha1', digest: plain };
  const digest = fields.get('d-ng') ?? fields.get('d-ngv2');
  return digest === undefined ? undefined : splitDigest(digest);
}

function bufferEntry({ algorithm, digest }: Digest, name: string, buffer: Uint8Array): ImaEntry {
  const deviceMapper = name.startsWith('dm_') ? parseDeviceMapper(name, parseUtf8(buffer)) : undefined;
  return { kind: 'buffer', algorithm, digest, name, buffer, ...(deviceMapper === undefined ? {} : { deviceMapper }) };
}

/** Digest of 20 octets, then the length of the name and the name. */
function firstTemplate(data: Uint8Array): ImaFile {
  const name = parseUtf8(data.subarray(IMA_DIGEST_BYTES + 4));
  // Some kernels count the NUL.
  return { algorithm: 'sha1', digest: data.subarray(0, IMA_DIGEST_BYTES), path: name.replace(/\0$/, '') };
}

/**
 * Fields d-ng and d-ngv2: the algorithm's name, a colon, a NUL, then the digest; of d-ngv2, the type of the digest and a
 * colon in front: 'verity:sha256:'.
 */
function splitDigest(field: Uint8Array): Digest {
  const nul = field.indexOf(0);
  if (nul < 2 || field[nul - 1] !== 0x3a) throw new TextError("expected an algorithm's name, a colon and a NUL");
  const digest = field.subarray(nul + 1);
  const name = parseUtf8(field.subarray(0, nul - 1));
  const colon = name.indexOf(':');
  return colon < 0
    ? { algorithm: name, digest }
    : { algorithm: name.slice(colon + 1), digest, digestType: name.slice(0, colon) };
}

/** Field n-ng: the path and one NUL; a second one would hide what follows from anybody who prints it. */
function withoutNul(field: Uint8Array): string {
  const nul = field.indexOf(0);
  if (nul < 0 || nul !== field.length - 1) throw new TextError('expected one NUL, at the end of the path');
  return parseUtf8(field.subarray(0, nul));
}

/** Linux, ima_template_lib.c: names between |, then for each a length of 32 bits, then all values. */
function evmFields(fields: Fields, isBigEndian: boolean): EvmFields | undefined {
  const signature = fields.get('evmsig');
  if (!isPresent(signature)) return undefined;
  const names = parseUtf8(fields.get('xattrnames') ?? signature.subarray(0, 0)).replace(/\0$/, '');
  const lengths = numbers(fields.get('xattrlengths'), isBigEndian);
  const values = new Reader(fields.get('xattrvalues') ?? new Uint8Array());
  const list = names === '' ? [] : names.split('|');
  if (list.length !== lengths.length) throw new TextError('expected a length for each extended attribute');
  const xattrs = list.map((name, i) => ({ name, value: values.takeBytes(lengths[i] as number) }));
  values.finish();
  const [uid = 0] = numbers(fields.get('iuid'), isBigEndian);
  const [gid = 0] = numbers(fields.get('igid'), isBigEndian);
  return { signature, xattrs, uid, gid, mode: modeOf(fields.get('imode'), isBigEndian) };
}

function modeOf(field: Uint8Array | undefined, isBigEndian: boolean): number {
  if (field?.length !== 2) return 0;
  return new DataView(field.buffer, field.byteOffset, 2).getUint16(0, !isBigEndian);
}

/** Numbers of 32 bits. */
function numbers(field: Uint8Array | undefined, isBigEndian: boolean): number[] {
  if (field === undefined) return [];
  if (field.length % 4 !== 0) throw new TextError('expected numbers of 32 bits');
  const view = new DataView(field.buffer, field.byteOffset, field.length);
  return Array.from({ length: field.length / 4 }, (_, i) => view.getUint32(4 * i, !isBigEndian));
}
