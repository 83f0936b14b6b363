// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, MemorySink } from '@vouchsafe/bytes';
import { openPe, signPe } from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';

/** A boot loader has some hundred KiB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A program signed for Secure Boot, in memory. @throws {PeError} @throws {PkiError} */
export async function signedCopy(program: ByteSource, signer: Signer): Promise<Uint8Array> {
  const signed = new MemorySink(MAX_BYTES, `signed ${program.label}`);
  await signPe(openPe(program), signed, { signer });
  return signed.bytes();
}
