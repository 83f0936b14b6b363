// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { type Codec, CodecError, decode } from '@vouchsafe/codec';
import { PeError, type PeErrorCode } from '../error.ts';

/**
 * `sizeBytes` octets of a structure; the caller has bounded them.
 * @throws {PeError} 'truncated' when the file ends before.
 */
export function readRange(source: ByteSource, offset: number, sizeBytes: number, what: string): Uint8Array {
  if (offset + sizeBytes > source.size) {
    const message = `${source.label}: expected ${what} of ${sizeBytes} octets, but the file ends at ${source.size}`;
    throw new PeError('truncated', message, { offset });
  }
  return readBytes(source, offset, sizeBytes);
}

/**
 * A structure of fixed size at an offset of the file.
 * @throws {PeError} 'truncated'; `code` for what the codec refuses, with the field's offset in the file.
 */
export function readStructure<T>(
  source: ByteSource,
  codec: Codec<T>,
  offset: number,
  code: PeErrorCode = 'header_malformed',
): T {
  return decodeStructure(codec, readRange(source, offset, codec.size ?? 0, codec.name), offset, source.label, code);
}

/**
 * The structure that these octets are.
 * @param offset of the octets in the file, for errors.
 * @throws {PeError} `code`.
 */
export function decodeStructure<T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  offset: number,
  label: string,
  code: PeErrorCode,
): T {
  try {
    return decode(codec, bytes);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    const message = `${label}: ${cause.path}: ${cause.detail}`;
    throw new PeError(code, message, { offset: offset + cause.offset, cause });
  }
}
