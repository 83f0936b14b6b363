// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, MemorySink, memorySource } from '@vouchsafe/bytes';
import type { SpoolFile } from '@vouchsafe/disk/node';
import {
  buildUki,
  createSignature,
  layOutAppended,
  openPe,
  signPe,
  signWrittenPe,
  sizeWithSignature,
  type UkiContents,
  ukiSections,
} from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';

/** Firmware refuses larger ones long before. */
const MAX_UKI_BYTES = 1024 * 1024 * 1024;

/**
 * Writes a unified kernel image, signed for Secure Boot. Its initrd is in no memory.
 * @throws {PeError} @throws {PkiError} @throws {BytesError}
 */
export async function writeUki(
  stub: ByteSource,
  contents: UkiContents,
  signer: Signer,
  spool: SpoolFile,
): Promise<void> {
  await buildUki(openPe(stub), contents, spool);
  await signWrittenPe(openPe(spool.source()), spool, { signer });
}

/**
 * Octets that `writeUki` writes of contents of these sizes; kernel and initrd are not read for it.
 * @throws {PeError} @throws {PkiError}
 */
export async function plannedUkiBytes(stub: ByteSource, contents: UkiContents, signer: Signer): Promise<number> {
  const program = openPe(stub);
  const { sizeBytes } = layOutAppended(program, ukiSections(program, contents));
  // Signatures of one key are of one size, and of what is signed they have a digest; the stub is small.
  return sizeWithSignature(sizeBytes, await createSignature(program, { signer }));
}

/** One in memory, signed when there is a signer. @throws {PeError} @throws {PkiError} @throws {BytesError} */
export async function makeUki(
  stub: ByteSource,
  contents: UkiContents,
  signer: Signer | undefined,
): Promise<Uint8Array> {
  const unsigned = new MemorySink(MAX_UKI_BYTES, 'UKI');
  await buildUki(openPe(stub), contents, unsigned);
  if (signer === undefined) return unsigned.bytes();
  const signed = new MemorySink(MAX_UKI_BYTES, 'UKI');
  await signPe(openPe(memorySource(unsigned.bytes(), 'UKI')), signed, { signer });
  return signed.bytes();
}
