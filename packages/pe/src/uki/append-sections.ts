// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { FILE_HEADER_FIELD, LOCAL_SYMS_STRIPPED } from '../format/coff-header.ts';
import { NX_COMPAT, OPTIONAL_HEADER_FIELD } from '../format/optional-header.ts';
import { isPe, openPe, type PeFile } from '../read/pe-file.ts';
import { PeChecksum } from '../write/checksum.ts';
import { PeWriter } from '../write/copy.ts';
import { HeaderPatch } from '../write/header-patch.ts';
import { type AppendLayout, layOutAppended, type NewSection } from './append-layout.ts';

export interface AppendOptions extends LongWork {
  /** False writes CheckSum as 0, as ukify does; no firmware looks at it. True when left out. */
  readonly hasChecksum?: boolean;
}

/**
 * Writes a stub with sections added, streaming: whatever the size of an initrd, one buffer is used. The headers are
 * written last, so that what was interrupted is no PE file.
 *
 * NX_COMPAT stays only if the kernel in a section .linux, where it is a PE file, has it: a stub that promises it for a
 * kernel that writes to its code would make firmware with memory protection stop the machine.
 * @throws {PeError} 'stub_unsuitable', 'options_invalid', 'limit'; as openPe for a kernel that begins like a PE file.
 */
export async function appendSections(
  stub: PeFile,
  added: readonly NewSection[],
  sink: ByteSink,
  options: AppendOptions = {},
): Promise<AppendLayout> {
  const layout = layOutAppended(stub, added);
  const header = encodeHeaders(stub, layout, isNxCompatible(stub, added));
  const checksum = new PeChecksum();
  const writer = new PeWriter(sink, checksum, 'writing', layout.sizeBytes, options);
  for (const { header: section, content } of layout.sections) {
    const { pointerToRawData: at, sizeOfRawData } = section;
    if (sizeOfRawData === 0) continue;
    const size = Math.min(content.size, sizeOfRawData);
    await writer.copy(content, 0, size, at);
    const padding = sizeOfRawData - size;
    if (padding > 0) sink.write(at + size, new Uint8Array(padding));
  }
  checksum.add(header);
  if (options.hasChecksum ?? true) {
    const at = stub.offsets.optionalHeader + OPTIONAL_HEADER_FIELD.checkSum;
    new DataView(header.buffer).setUint32(at, checksum.finish(layout.sizeBytes), true);
  }
  sink.write(0, header);
  return layout;
}

function encodeHeaders(stub: PeFile, layout: AppendLayout, isNx: boolean): Uint8Array {
  const { fileHeader, optionalHeader } = stub;
  const patch = new HeaderPatch(stub);
  patch.setFileField16(FILE_HEADER_FIELD.numberOfSections, layout.sections.length);
  if (layout.isSymbolTableDropped) {
    patch.setFileField32(FILE_HEADER_FIELD.pointerToSymbolTable, 0);
    patch.setFileField32(FILE_HEADER_FIELD.numberOfSymbols, 0);
    patch.setFileField16(FILE_HEADER_FIELD.characteristics, fileHeader.characteristics | LOCAL_SYMS_STRIPPED);
  }
  patch.setOptionalField32(OPTIONAL_HEADER_FIELD.sizeOfInitializedData, layout.sizeOfInitializedData);
  patch.setOptionalField32(OPTIONAL_HEADER_FIELD.sizeOfImage, layout.sizeOfImage);
  patch.setOptionalField32(OPTIONAL_HEADER_FIELD.sizeOfHeaders, layout.sizeOfHeaders);
  patch.setCheckSum(0);
  const { dllCharacteristics } = optionalHeader;
  patch.setOptionalField16(
    OPTIONAL_HEADER_FIELD.dllCharacteristics,
    isNx ? dllCharacteristics : dllCharacteristics & ~NX_COMPAT,
  );
  const headers = layout.sections.map(({ header }) => header);
  return patch.withSectionTable(headers, layout.sizeOfHeaders);
}

/** What cannot be asked, such as a kernel of another format, keeps what the stub says. */
function isNxCompatible(stub: PeFile, added: readonly NewSection[]): boolean {
  const kernels = added.filter(({ name, content }) => name === '.linux' && isPe(content));
  return [stub, ...kernels.map(({ content }) => openPe(content))].every(
    ({ optionalHeader }) => (optionalHeader.dllCharacteristics & NX_COMPAT) !== 0,
  );
}
