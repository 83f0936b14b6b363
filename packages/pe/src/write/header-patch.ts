// SPDX-License-Identifier: Apache-2.0
import { encode } from '@vouchsafe/codec';
import { PeError } from '../error.ts';
import { CERTIFICATE_TABLE, DATA_DIRECTORY_BYTES } from '../format/data-directory.ts';
import { OPTIONAL_HEADER_FIELD } from '../format/optional-header.ts';
import { type ImageSectionHeader, imageSectionHeader } from '../format/section-header.ts';
import type { PeFile } from '../read/pe-file.ts';
import { readRange } from '../read/read-structure.ts';

/** The octets of a file's headers, to change single fields in place: all that is not named stays as it is. */
export class HeaderPatch {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pe: PeFile;

  constructor(pe: PeFile) {
    this.#pe = pe;
    const { sizeOfHeaders } = pe.optionalHeader;
    // The checksum adds 16-bit words, headers and the rest apart.
    if (sizeOfHeaders % 2 !== 0) {
      const message = `${pe.source.label}: expected an even SizeOfHeaders to rewrite the file, found ${sizeOfHeaders}`;
      throw new PeError('header_malformed', message, { offset: pe.offsets.optionalHeader });
    }
    this.bytes = readRange(pe.source, 0, sizeOfHeaders, 'the headers');
    this.#view = new DataView(this.bytes.buffer);
  }

  setFileField16(field: number, value: number): void {
    this.#view.setUint16(this.#pe.offsets.fileHeader + field, value, true);
  }

  setFileField32(field: number, value: number): void {
    this.#view.setUint32(this.#pe.offsets.fileHeader + field, value, true);
  }

  setOptionalField16(field: number, value: number): void {
    this.#view.setUint16(this.#pe.offsets.optionalHeader + field, value, true);
  }

  setOptionalField32(field: number, value: number): void {
    this.#view.setUint32(this.#pe.offsets.optionalHeader + field, value, true);
  }

  setCheckSum(value: number): void {
    this.setOptionalField32(OPTIONAL_HEADER_FIELD.checkSum, value);
  }

  /**
   * The directory entry of the certificate table; its address is a file offset.
   * @throws {PeError} 'header_malformed' when the headers have no room for it.
   */
  setCertificateTable(offset: number, size: number): void {
    const { source, offsets, optionalHeader } = this.#pe;
    if (optionalHeader.numberOfRvaAndSizes <= CERTIFICATE_TABLE) {
      const message = `${source.label}: expected a data directory for certificates, found ${optionalHeader.numberOfRvaAndSizes} directories; such a file cannot be signed`;
      throw new PeError('header_malformed', message, { offset: offsets.dataDirectories });
    }
    const at = offsets.dataDirectories + CERTIFICATE_TABLE * DATA_DIRECTORY_BYTES;
    this.#view.setUint32(at, offset, true);
    this.#view.setUint32(at + 4, size, true);
  }

  /** The headers with `sizeOfHeaders` octets and this section table; what was behind the old table is cleared. */
  withSectionTable(sections: readonly ImageSectionHeader[], sizeOfHeaders: number): Uint8Array {
    const grown = new Uint8Array(sizeOfHeaders);
    let at = this.#pe.offsets.sectionTable;
    grown.set(this.bytes.subarray(0, at));
    for (const section of sections) {
      const entry = encode(imageSectionHeader, section);
      grown.set(entry, at);
      at += entry.length;
    }
    return grown;
  }
}
