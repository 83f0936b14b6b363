// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, guid, struct, u32le } from '@vouchsafe/codec';
import { PeError } from '../error.ts';
import { MAX_SIGNATURE_LISTS_BYTES, MAX_SIGNATURES } from '../limits.ts';
import { decodeStructure } from '../read/read-structure.ts';
import { SIGNATURE_TYPES, type SignatureTypeName } from './guids.ts';

/** EFI_SIGNATURE_LIST up to SignatureHeader, 28 octets. UEFI 2.10, 32.4.1. */
const efiSignatureListHeader = struct('EFI_SIGNATURE_LIST', {
  signatureType: [guid, 'what the signatures are'],
  signatureListSize: [u32le, 'octets of the list, this header included'],
  signatureHeaderSize: [u32le, '0 in all types that exist'],
  signatureSize: [u32le, 'octets of each signature, its owner included'],
});

/** EFI_SIGNATURE_DATA. UEFI 2.10, 32.4.1. */
export interface EfiSignature {
  /** SignatureOwner: the agent who added it, a GUID. */
  readonly owner: string;
  /** A certificate in DER, a digest. */
  readonly data: Uint8Array;
}

/** EFI_SIGNATURE_LIST: signatures of one type and size. UEFI 2.10, 32.4.1. */
export interface EfiSignatureList {
  /** The name of a type that is known here, else its GUID. */
  readonly type: SignatureTypeName | (string & {});
  readonly signatures: readonly EfiSignature[];
}

const HEADER_BYTES = 28;
const OWNER_BYTES = 16;

const TYPE_NAMES = new Map<string, SignatureTypeName>(
  Object.entries(SIGNATURE_TYPES).map(([name, { guid: text }]) => [text, name as SignatureTypeName]),
);

/**
 * The signature lists that a variable such as db, an .esl file or an event of PCR 7 holds; none for no octets.
 *
 * Every size is held to the others: a SignatureSize of 0 or above the list, a SignatureHeaderSize that eats the list, and
 * a list that underflows its header are errors (GHSA-9r4w is what became of a parser that believed them).
 * @param label what to call the value in messages.
 * @throws {PeError} 'signature_list_malformed' with the offset, 'limit'.
 */
export function decodeSignatureLists(bytes: Uint8Array, label = 'signature lists'): EfiSignatureList[] {
  if (bytes.length > MAX_SIGNATURE_LISTS_BYTES) {
    const message = `${label}: expected at most ${MAX_SIGNATURE_LISTS_BYTES} octets, found ${bytes.length}`;
    throw new PeError('limit', message, { offset: 0 });
  }
  const lists: EfiSignatureList[] = [];
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const { list, sizeBytes } = decodeList(bytes.subarray(at), at, label, MAX_SIGNATURES - count);
    lists.push(list);
    // A list without signatures counts as well.
    count += Math.max(1, list.signatures.length);
    if (count > MAX_SIGNATURES) throw tooMany(label, at);
    at += sizeBytes;
  }
  return lists;
}

function tooMany(label: string, offset: number): PeError {
  return new PeError('limit', `${label}: expected at most ${MAX_SIGNATURES} signatures, found more`, { offset });
}

function decodeList(
  rest: Uint8Array,
  offset: number,
  label: string,
  maxSignatures: number,
): { list: EfiSignatureList; sizeBytes: number } {
  const fail = (message: string): PeError =>
    new PeError('signature_list_malformed', `${label}: ${message}`, { offset });
  if (rest.length < HEADER_BYTES)
    throw fail(`expected a list of at least ${HEADER_BYTES} octets, found ${rest.length}`);
  const header = decodeStructure(
    efiSignatureListHeader,
    rest.subarray(0, HEADER_BYTES),
    offset,
    label,
    'signature_list_malformed',
  );
  const { signatureListSize, signatureHeaderSize, signatureSize } = header;
  if (signatureListSize < HEADER_BYTES || signatureListSize > rest.length) {
    throw fail(`expected SignatureListSize from ${HEADER_BYTES} to ${rest.length}, found ${signatureListSize}`);
  }
  if (signatureHeaderSize !== 0) throw fail(`expected SignatureHeaderSize 0, found ${signatureHeaderSize}`);
  const body = signatureListSize - HEADER_BYTES;
  const name = TYPE_NAMES.get(header.signatureType);
  const dataBytes = name === undefined ? undefined : SIGNATURE_TYPES[name].dataBytes;
  if (dataBytes === undefined ? signatureSize <= OWNER_BYTES : signatureSize !== OWNER_BYTES + dataBytes) {
    const expected = dataBytes === undefined ? `above ${OWNER_BYTES}` : `${OWNER_BYTES + dataBytes} for ${name}`;
    throw fail(`expected SignatureSize ${expected}, found ${signatureSize}`);
  }
  if (body % signatureSize !== 0) {
    throw fail(
      `expected signatures of ${signatureSize} octets to fill the list's ${body}, found ${body % signatureSize} left over`,
    );
  }
  const count = body / signatureSize;
  if (count > maxSignatures) throw tooMany(label, offset);
  const signatures = Array.from({ length: count }, (_, i): EfiSignature => {
    const at = HEADER_BYTES + i * signatureSize;
    const owner = decodeStructure(
      guid,
      rest.subarray(at, at + OWNER_BYTES),
      offset + at,
      label,
      'signature_list_malformed',
    );
    return { owner, data: rest.subarray(at + OWNER_BYTES, at + signatureSize) };
  });
  return { list: { type: name ?? header.signatureType, signatures }, sizeBytes: signatureListSize };
}

/**
 * Signature lists one after the other.
 * @throws {PeError} 'options_invalid' when the signatures of a list differ in size, have none or the wrong one.
 * @throws {CodecError} for a type or owner that is no GUID.
 */
export function encodeSignatureLists(lists: readonly EfiSignatureList[]): Uint8Array {
  return concatBytes(...lists.map(encodeList));
}

function encodeList({ type, signatures }: EfiSignatureList): Uint8Array {
  const known = Object.hasOwn(SIGNATURE_TYPES, type) ? SIGNATURE_TYPES[type as SignatureTypeName] : undefined;
  const dataBytes = known?.dataBytes ?? signatures[0]?.data.length ?? 1;
  const odd = signatures.find(({ data }) => data.length !== dataBytes || data.length === 0);
  if (odd !== undefined) {
    const message = `expected signatures of ${dataBytes} octets in a list of type ${type}, found ${odd.data.length}; put others into a list of their own`;
    throw new PeError('options_invalid', message);
  }
  const signatureSize = OWNER_BYTES + dataBytes;
  const header = encode(efiSignatureListHeader, {
    signatureType: known?.guid ?? type,
    signatureListSize: HEADER_BYTES + signatures.length * signatureSize,
    signatureHeaderSize: 0,
    signatureSize,
  });
  return concatBytes(header, ...signatures.flatMap(({ owner, data }) => [encode(guid, owner), data]));
}

/** Certificates as db holds them: a list for each, as their sizes differ. */
export function certificateLists(certificates: readonly Uint8Array[], owner: string): EfiSignatureList[] {
  return certificates.map((data) => ({ type: 'x509', signatures: [{ owner, data }] }));
}
