// SPDX-License-Identifier: Apache-2.0
import { TpmError } from '../error.ts';
import { HEADER_BYTES } from '../structures/header.ts';

/** Octets of one response at most; PC Client TPMs have buffers of 4,096. */
export const MAX_RESPONSE_BYTES = 4096;

/**
 * The size that a response's header declares, or undefined where the header is not whole yet.
 * @throws {TpmError} 'response_malformed'
 */
export function responseSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2);
  if (size < HEADER_BYTES || size > MAX_RESPONSE_BYTES) {
    const message = `expected a response of ${HEADER_BYTES} to ${MAX_RESPONSE_BYTES} octets, found ${size}`;
    throw new TpmError('response_malformed', message);
  }
  return size;
}

/**
 * Exactly one response.
 * @throws {TpmError} 'response_malformed' for fewer or more octets than its header declares
 */
export function requireResponse(bytes: Uint8Array): Uint8Array {
  if (responseSize(bytes) === bytes.length) return bytes;
  throw new TpmError('response_malformed', `expected one whole response, found ${bytes.length} octets of another size`);
}
