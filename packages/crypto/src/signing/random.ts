// SPDX-License-Identifier: Apache-2.0
import { randomBytes as nodeRandomBytes } from 'node:crypto';

/** For nonces, salts and serial numbers; what needs more is not random but a mistake. */
const MAX_RANDOM_BYTES = 65536;

/**
 * `sizeBytes` octets from the system's generator, fit for keys. 0 to 65,536; more is a defect of the caller
 * (RangeError).
 */
export function randomBytes(sizeBytes: number): Uint8Array {
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > MAX_RANDOM_BYTES) {
    throw new RangeError(`sizeBytes must be a whole number from 0 to ${MAX_RANDOM_BYTES}, got ${sizeBytes}`);
  }
  return new Uint8Array(nodeRandomBytes(sizeBytes));
}
