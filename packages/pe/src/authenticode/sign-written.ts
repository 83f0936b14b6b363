// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { alignUp } from '../align.ts';
import { CERTIFICATE_ALIGNMENT } from '../format/win-certificate.ts';
import type { PeFile } from '../read/pe-file.ts';
import { PeChecksum } from '../write/checksum.ts';
import { HeaderPatch } from '../write/header-patch.ts';
import { createSignature, encodeEntry, type SignPeOptions, signPe } from './sign.ts';

/**
 * Signs a file where `appendSections` has written it, for the same octets as `signPe`: the signature goes behind it and
 * the headers are written again, and nothing else is. CheckSum is taken at its word, so this is for files of our own.
 * @param sink where the file is.
 * @throws {PeError} 'header_malformed' when the headers have no place for signatures.
 * @throws {PkiError} as signAttached does.
 */
export async function signWrittenPe(pe: PeFile, sink: ByteSink, options: SignPeOptions & LongWork): Promise<void> {
  const checksum = new PeChecksum();
  const header = new HeaderPatch(pe);
  header.setCheckSum(0);
  const { size } = pe.source;
  // One that is signed already, or has no checksum, is written anew.
  if (
    pe.certificateTable !== undefined ||
    !checksum.addKnown(pe.optionalHeader.checkSum, size, new PeChecksum().add(header.bytes))
  ) {
    return signPe(pe, sink, options);
  }
  const table = encodeEntry(await createSignature(pe, options));
  const tableStart = alignUp(size, CERTIFICATE_ALIGNMENT);
  header.setCertificateTable(tableStart, table.length);
  if (tableStart > size) sink.write(size, new Uint8Array(tableStart - size));
  sink.write(tableStart, table);
  header.setCheckSum(
    checksum
      .add(table)
      .add(header.bytes)
      .finish(tableStart + table.length),
  );
  sink.write(0, header.bytes);
}
