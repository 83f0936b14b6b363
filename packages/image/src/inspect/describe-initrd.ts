// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, sliceSource } from '@vouchsafe/bytes';
import { CPIO_HEADER_BYTES, type CpioEntry, compressionOf, DiskError, readCpio } from '@vouchsafe/disk';
import type { ArtefactHead, CompressedDescription, InitrdDescription, InitrdSegment } from './description.ts';

/**
 * An initrd: archives end to end, and behind them something compressed, as microcode and the rest of an initrd are.
 * @throws {DiskError} 'cpio_malformed'. @throws {BytesError}
 */
export function describeInitrd(source: ByteSource, head: Omit<ArtefactHead, 'kind'>): InitrdDescription {
  const first = compressionOf(source);
  if (first !== undefined) {
    return { ...head, kind: 'initrd', segments: [{ offsetBytes: 0, sizeBytes: source.size, compression: first }] };
  }
  const plain = plainArchives(source);
  const segments: InitrdSegment[] = [
    {
      offsetBytes: 0,
      sizeBytes: plain.endBytes,
      compression: undefined,
      members: plain.members,
      contentBytes: plain.contentBytes,
    },
  ];
  if (plain.endBytes < source.size) {
    const { compression } = plain;
    segments.push({ offsetBytes: plain.endBytes, sizeBytes: source.size - plain.endBytes, compression });
  }
  return { ...head, kind: 'initrd', segments };
}

/** What begins with something compressed; what is inside is not looked at. */
export function describeCompressed(source: ByteSource, head: Omit<ArtefactHead, 'kind'>): CompressedDescription {
  return {
    ...head,
    kind: 'compressed',
    compression: compressionOf(source) as NonNullable<ReturnType<typeof compressionOf>>,
  };
}

interface PlainArchives {
  readonly members: number;
  readonly contentBytes: number;
  /** Where something else begins, or the end. */
  readonly endBytes: number;
  readonly compression: InitrdSegment['compression'];
}

function plainArchives(source: ByteSource): PlainArchives {
  let members = 0;
  let contentBytes = 0;
  let last: CpioEntry | undefined;
  try {
    for (const entry of readCpio(source)) {
      members++;
      contentBytes += entry.content.size;
      last = entry;
    }
    return { members, contentBytes, endBytes: source.size, compression: undefined };
  } catch (error) {
    if (!(error instanceof DiskError) || last === undefined) throw error;
    const found = compressedBehind(source, last);
    if (found === undefined) throw error;
    return { members, contentBytes, ...found };
  }
}

const pad4 = (n: number): number => (n + 3) & ~3;
/** A header, "TRAILER!!!" with its NUL, and padding. */
const TRAILER_BYTES = pad4(CPIO_HEADER_BYTES + 11);
/** Kernels take any; tools write up to a block of 512. */
const MAX_ZEROS = 64 * 1024;

/** Something compressed behind the trailer of an archive, with zeros between. */
function compressedBehind(
  source: ByteSource,
  { offset, header, content }: CpioEntry,
): { readonly endBytes: number; readonly compression: InitrdSegment['compression'] } | undefined {
  const end = offset + pad4(CPIO_HEADER_BYTES + header.nameBytes) + pad4(content.size) + TRAILER_BYTES;
  if (end >= source.size) return undefined;
  const rest = sliceSource(source, end, Math.min(MAX_ZEROS + 16, source.size - end));
  const zeros = new Uint8Array(rest.size);
  rest.read(0, zeros);
  const used = zeros.findIndex((octet) => octet !== 0);
  if (used < 0) return undefined;
  const compression = compressionOf(sliceSource(source, end + used, source.size - end - used));
  return compression === undefined ? undefined : { endBytes: end + used, compression };
}
