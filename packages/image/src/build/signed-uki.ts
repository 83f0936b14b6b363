// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import { buildUki, openPe, signPe, type UkiContents } from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';

/** Firmware refuses larger ones long before. */
const MAX_UKI_BYTES = 1024 * 1024 * 1024;

/**
 * A unified kernel image, signed for Secure Boot when there is a signer.
 * @throws {PeError} @throws {PkiError}
 */
export async function makeUki(
  stub: ByteSource,
  contents: UkiContents,
  signer: Signer | undefined,
): Promise<Uint8Array> {
  const unsigned = new MemorySink(MAX_UKI_BYTES, 'unsigned UKI');
  await buildUki(openPe(stub), contents, unsigned);
  if (signer === undefined) return unsigned.bytes();
  const signed = new MemorySink(MAX_UKI_BYTES, 'signed UKI');
  await signPe(openPe(memorySource(unsigned.bytes(), 'UKI')), signed, { signer });
  return signed.bytes();
}
