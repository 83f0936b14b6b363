// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError, decode, listToEnd, rest, sized, u32le } from '@vouchsafe/codec';
import { IMA_LIMITS } from '../limits.ts';
import type { ImaEvent } from './list.ts';

/** What an entry says was measured. */
export interface ImaFile {
  /** As the kernel names it: 'sha256'. Absent names of old templates are 'sha1'. */
  readonly algorithm: string;
  /** Of the file's content; of 'boot_aggregate', of the PCRs. */
  readonly digest: Uint8Array;
  /**
   * The path as it was opened, exactly: it may hold spaces and newlines, and what is not UTF-8 is refused. Of template
   * 'ima' it is cut at 255 octets.
   */
  readonly path: string;
  /** security.ima of the file, where the template has it and the file is signed. */
  readonly signature?: Uint8Array;
}

/** An entry taken apart, or the reason why it cannot be. */
export type ImaEntry =
  | { readonly kind: 'file'; readonly file: ImaFile }
  /** A template that is not decoded further: its fields, in order. */
  | { readonly kind: 'fields'; readonly fields: readonly Uint8Array[] }
  | { readonly kind: 'raw'; readonly reason: string };

/** Fields of one template at most; the kernel's largest has seven. TEMPLATE_NUM_FIELDS_MAX is 15. */
const MAX_FIELDS = 15;
/** Template fields: each a 32-bit length in octets and that many. Linux, ima_template_lib.c. */
const templateFields = listToEnd(sized(u32le, rest, IMA_LIMITS.maxEventBytes), MAX_FIELDS);

/**
 * Takes the data of an entry apart by its template. It never throws: the kernel lets file names hold anything.
 * Linux, Documentation/security/IMA-templates.rst: 'ima-ng' is d-ng|n-ng, 'ima-sig' is d-ng|n-ng|sig.
 */
export function decodeImaEntry(event: ImaEvent): ImaEntry {
  try {
    if (event.type === 'ima') return { kind: 'file', file: firstTemplate(event.data) };
    const fields = decode(templateFields, event.data);
    if (event.type !== 'ima-ng' && event.type !== 'ima-sig') return { kind: 'fields', fields };
    const [digest, name, signature] = fields;
    if (digest === undefined || name === undefined || fields.length !== (event.type === 'ima-sig' ? 3 : 2)) {
      return { kind: 'raw', reason: `expected the fields of ${event.type}, found ${fields.length}` };
    }
    const file = { ...splitDigest(digest), path: withoutNul(name) };
    return { kind: 'file', file: signature === undefined || signature.length === 0 ? file : { ...file, signature } };
  } catch (error) {
    if (error instanceof CodecError || error instanceof TextError) return { kind: 'raw', reason: error.message };
    throw error;
  }
}

/** Digest of 20 octets, then the length of the name and the name. */
function firstTemplate(data: Uint8Array): ImaFile {
  return { algorithm: 'sha1', digest: data.subarray(0, 20), path: parseUtf8(data.subarray(24)) };
}

/** Field d-ng: the algorithm's name, a colon, a NUL, then the digest. */
function splitDigest(field: Uint8Array): Pick<ImaFile, 'algorithm' | 'digest'> {
  const nul = field.indexOf(0);
  if (nul < 2 || field[nul - 1] !== 0x3a) throw new TextError("expected an algorithm's name, a colon and a NUL");
  return { algorithm: parseUtf8(field.subarray(0, nul - 1)), digest: field.subarray(nul + 1) };
}

/** Field n-ng: the path and one NUL; a second one would hide what follows from anybody who prints it. */
function withoutNul(field: Uint8Array): string {
  const nul = field.indexOf(0);
  if (nul < 0 || nul !== field.length - 1) throw new TextError('expected one NUL, at the end of the path');
  return parseUtf8(field.subarray(0, nul));
}
