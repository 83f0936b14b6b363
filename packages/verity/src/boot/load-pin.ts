// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { VerityError } from '../error.ts';

/** SZ_4K - 1. Linux, security/loadpin/loadpin.c, read_trusted_verity_root_digests. */
const MAX_LOADPIN_FILE_BYTES = 4095;

/**
 * A file of trusted root hashes for the kernel's LoadPin. Linux, security/loadpin/loadpin.c,
 * read_trusted_verity_root_digests; the file is named with LOADPIN_IOC_SET_TRUSTED_VERITY_DIGESTS.
 * @throws {VerityError} 'options_invalid' for none, or more than the kernel reads: it would take no other file after that.
 */
export function formatLoadPinDigests(rootHashes: readonly Uint8Array[]): string {
  const text = `# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS\n${rootHashes.map((hash) => `${toHex(hash)}\n`).join('')}`;
  if (rootHashes.length === 0 || text.length > MAX_LOADPIN_FILE_BYTES) {
    throw new VerityError(
      'options_invalid',
      `LoadPin reads a file of at most ${MAX_LOADPIN_FILE_BYTES} octets with at least one root hash, these ${rootHashes.length} take ${text.length}`,
    );
  }
  return text;
}
