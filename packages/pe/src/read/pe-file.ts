// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource, Extent } from '@vouchsafe/bytes';
import { PeError } from '../error.ts';
import {
  IMAGE_FILE_HEADER_BYTES,
  type ImageFileHeader,
  imageFileHeader,
  PE_SIGNATURE_BYTES,
  peSignature,
} from '../format/coff-header.ts';
import {
  CERTIFICATE_TABLE,
  DATA_DIRECTORY_BYTES,
  type ImageDataDirectory,
  imageDataDirectory,
  MAX_DATA_DIRECTORIES,
} from '../format/data-directory.ts';
import { imageDosHeader } from '../format/dos-header.ts';
import {
  type ImageOptionalHeader,
  imageOptionalHeader32,
  imageOptionalHeader64,
  OPTIONAL_HEADER_BYTES,
} from '../format/optional-header.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import { MAX_HEADERS_BYTES } from '../limits.ts';
import { certificateTableExtent } from './certificate-extent.ts';
import { readRange, readStructure } from './read-structure.ts';
import { readSectionTable } from './section-table.ts';

/**
 * The headers of a PE file whose ranges were checked: every section and the certificate table lie inside the file and
 * share no octet. Untrusted all the same: only a signature says who made them.
 */
export interface PeFile {
  readonly source: ByteSource;
  readonly format: 'pe32' | 'pe32+';
  /** File offsets of the structures. */
  readonly offsets: {
    readonly fileHeader: number;
    readonly optionalHeader: number;
    readonly dataDirectories: number;
    readonly sectionTable: number;
  };
  readonly fileHeader: ImageFileHeader;
  readonly optionalHeader: ImageOptionalHeader;
  readonly dataDirectories: readonly ImageDataDirectory[];
  /** In the order of the table. */
  readonly sections: readonly ImageSectionHeader[];
  /** Where the signatures are; undefined when there are none. It ends where the file ends. */
  readonly certificateTable: Extent | undefined;
}

/**
 * Opens a PE32 or PE32+ file of any machine; reads its headers only.
 * @throws {PeError} 'not_pe', 'header_malformed', 'truncated', 'limit', 'section_range', 'section_overlap',
 * 'certificate_table', each with the offset.
 */
export function openPe(source: ByteSource): PeFile {
  const fileHeaderOffset = findFileHeader(source);
  const fileHeader = readStructure(source, imageFileHeader, fileHeaderOffset);
  const optionalHeaderOffset = fileHeaderOffset + IMAGE_FILE_HEADER_BYTES;
  const { format, optionalHeader } = readOptionalHeader(source, optionalHeaderOffset);
  const dataDirectories = optionalHeaderOffset + OPTIONAL_HEADER_BYTES[format];
  const offsets = {
    fileHeader: fileHeaderOffset,
    optionalHeader: optionalHeaderOffset,
    dataDirectories,
    sectionTable: optionalHeaderOffset + fileHeader.sizeOfOptionalHeader,
  };
  requireSizeOfOptionalHeader(source.label, format, fileHeader, optionalHeader, offsets.fileHeader);
  const directories = Array.from({ length: optionalHeader.numberOfRvaAndSizes }, (_, i) =>
    readStructure(source, imageDataDirectory, dataDirectories + i * DATA_DIRECTORY_BYTES),
  );
  const sections = readSectionTable(source, offsets.sectionTable, fileHeader, optionalHeader);
  const certificateTable = certificateTableExtent(
    source,
    directories[CERTIFICATE_TABLE],
    dataDirectories + CERTIFICATE_TABLE * DATA_DIRECTORY_BYTES,
    sections.reduce((end, s) => (s.sizeOfRawData === 0 ? end : Math.max(end, s.pointerToRawData + s.sizeOfRawData)), 0),
    optionalHeader.sizeOfHeaders,
  );
  return {
    source,
    format,
    offsets,
    fileHeader,
    optionalHeader,
    dataDirectories: directories,
    sections,
    certificateTable,
  };
}

/** True when the source begins as a PE file does; the rest may still be wrong. */
export function isPe(source: ByteSource): boolean {
  try {
    findFileHeader(source);
    return true;
  } catch (error) {
    if (error instanceof PeError) return false;
    throw error;
  }
}

/** What people mistake for one. */
function describeBeginning(source: ByteSource): string {
  const bytes = readRange(source, 0, 8, 'the beginning');
  const text = String.fromCharCode(...bytes);
  if (text.startsWith('-----BEG')) return 'PEM, a key or certificate';
  if (text.startsWith('\u007fELF')) return 'an ELF file';
  if (text.startsWith('\u001f\u008b')) return 'a file compressed by gzip';
  return `a file that begins with ${toHex(bytes)}`;
}

/** Offset of IMAGE_FILE_HEADER. */
function findFileHeader(source: ByteSource): number {
  if (source.size < (imageDosHeader.size ?? 0)) {
    throw new PeError('not_pe', `${source.label}: expected a PE file, found ${source.size} octets`, { offset: 0 });
  }
  const [m, z] = readRange(source, 0, 2, 'the signature');
  if (m !== 0x4d || z !== 0x5a) {
    const message = `${source.label}: expected a PE file, as EFI applications, kernels and stubs are ('MZ'), found ${describeBeginning(source)}`;
    throw new PeError('not_pe', message, { offset: 0 });
  }
  const { e_lfanew: offset } = readStructure(source, imageDosHeader, 0, 'not_pe');
  if (offset > MAX_HEADERS_BYTES) {
    throw new PeError('limit', `${source.label}: expected e_lfanew up to ${MAX_HEADERS_BYTES}, found ${offset}`, {
      offset: 0x3c,
    });
  }
  readStructure(source, peSignature, offset, 'not_pe');
  return offset + PE_SIGNATURE_BYTES;
}

function readOptionalHeader(
  source: ByteSource,
  offset: number,
): { format: PeFile['format']; optionalHeader: ImageOptionalHeader } {
  const magic = readRange(source, offset, 2, 'the magic of an optional header');
  if (magic[0] === 0x0b && magic[1] === 0x01) {
    return { format: 'pe32', optionalHeader: readStructure(source, imageOptionalHeader32, offset) };
  }
  return { format: 'pe32+', optionalHeader: readStructure(source, imageOptionalHeader64, offset) };
}

/** The section table begins where the optional header ends, so both counts must agree; EDK II insists as well. */
function requireSizeOfOptionalHeader(
  label: string,
  format: PeFile['format'],
  fileHeader: ImageFileHeader,
  { numberOfRvaAndSizes }: ImageOptionalHeader,
  offset: number,
): void {
  if (numberOfRvaAndSizes > MAX_DATA_DIRECTORIES) {
    const message = `${label}: expected up to ${MAX_DATA_DIRECTORIES} data directories, found ${numberOfRvaAndSizes}`;
    throw new PeError('limit', message, { offset });
  }
  const expected = OPTIONAL_HEADER_BYTES[format] + numberOfRvaAndSizes * DATA_DIRECTORY_BYTES;
  if (fileHeader.sizeOfOptionalHeader !== expected) {
    const found = `${fileHeader.sizeOfOptionalHeader}`;
    const message = `${label}: expected SizeOfOptionalHeader ${expected} for ${numberOfRvaAndSizes} data directories, found ${found}`;
    throw new PeError('header_malformed', message, { offset });
  }
}
