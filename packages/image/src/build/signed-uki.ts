// SPDX-License-Identifier: Apache-2.0
import { type ByteSink, type ByteSource, MemorySink } from '@vouchsafe/bytes';
import { SpoolFile } from '@vouchsafe/disk/node';
import { buildUki, openPe, signPe, type UkiContents } from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';

/** Firmware refuses larger ones long before. */
const MAX_UKI_BYTES = 1024 * 1024 * 1024;

/**
 * Writes a unified kernel image, signed for Secure Boot when there is a signer. Its initrd is in no memory: before it is
 * signed it lies in a file without a name.
 * @param spoolFolder where that is; the host's own for temporary files unless given.
 * @throws {PeError} @throws {PkiError} @throws {BytesError}
 */
export async function writeUki(
  stub: ByteSource,
  contents: UkiContents,
  signer: Signer | undefined,
  sink: ByteSink,
  spoolFolder?: string,
): Promise<void> {
  if (signer === undefined) {
    await buildUki(openPe(stub), contents, sink);
    return;
  }
  using unsigned = SpoolFile.create('UKI', spoolFolder);
  await buildUki(openPe(stub), contents, unsigned);
  await signPe(openPe(unsigned.source()), sink, { signer });
}

/** The same in memory. @throws {PeError} @throws {PkiError} @throws {BytesError} */
export async function makeUki(
  stub: ByteSource,
  contents: UkiContents,
  signer: Signer | undefined,
): Promise<Uint8Array> {
  const sink = new MemorySink(MAX_UKI_BYTES, 'UKI');
  await writeUki(stub, contents, signer, sink);
  return sink.bytes();
}
