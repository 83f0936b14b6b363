// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { type DigestAlgorithm, startDigest } from '@vouchsafe/crypto';
import { type ImageSectionHeader, SECTION_FLAG } from '../format/section-header.ts';
import { CHUNK_BYTES } from '../limits.ts';
import { longSectionName } from '../read/long-section-name.ts';
import type { PeFile } from '../read/pe-file.ts';
import { sectionSource } from '../read/section-data.ts';
import { isTextSection, sectionText } from './section-text.ts';

export interface SectionDescription {
  readonly name: string;
  /** Of a name as '/14', which the file's string table has; firmware knows the short one alone. */
  readonly longName: string | undefined;
  /** The profile that it belongs to, from 0; undefined for what all share. */
  readonly profile: number | undefined;
  /** VirtualSize: octets in memory, and what a stub measures. */
  readonly sizeBytes: number;
  /** SizeOfRawData: octets in the file, padding included. */
  readonly rawSizeBytes: number;
  readonly fileOffset: number;
  readonly virtualAddress: number;
  readonly isExecutable: boolean;
  readonly isWritable: boolean;
  /** Of `sizeBytes` octets, in lower-case hexadecimal, by algorithm; undefined where it has too many. */
  readonly digests: Readonly<Partial<Record<DigestAlgorithm, string>>> | undefined;
  /** Of a section whose content is text; undefined for all others, and where it is no UTF-8 or above 64 KiB. */
  readonly text: string | undefined;
}

export interface SectionDescriptionOptions {
  readonly digests: readonly DigestAlgorithm[];
  readonly maxHashedBytes: number;
}

/** One section, its content read only for its digests and text. */
export function describeSection(
  pe: PeFile,
  section: ImageSectionHeader,
  profile: number | undefined,
  { digests, maxHashedBytes }: SectionDescriptionOptions,
): SectionDescription {
  const { name, virtualSize, sizeOfRawData, pointerToRawData, virtualAddress, characteristics } = section;
  // VirtualSize beyond the octets of the file is the header's word alone: zeros without end are not hashed for it.
  const isHashed = virtualSize <= maxHashedBytes && virtualSize <= pe.source.size;
  return {
    name,
    longName: longSectionName(pe, section),
    profile,
    sizeBytes: virtualSize,
    rawSizeBytes: sizeOfRawData,
    fileOffset: pointerToRawData,
    virtualAddress,
    isExecutable: (characteristics & SECTION_FLAG.memExecute) !== 0,
    isWritable: (characteristics & SECTION_FLAG.memWrite) !== 0,
    digests: isHashed ? digestsOf(sectionSource(pe, section), digests) : undefined,
    text: isTextSection(section) ? sectionText(pe, section) : undefined,
  };
}

function digestsOf(
  source: ByteSource,
  algorithms: readonly DigestAlgorithm[],
): Partial<Record<DigestAlgorithm, string>> {
  const running = algorithms.map((algorithm) => ({ algorithm, state: startDigest(algorithm) }));
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
  for (let at = 0; at < source.size; at += buffer.length) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, source.size - at));
    source.read(at, chunk);
    for (const { state } of running) state.update(chunk);
  }
  return Object.fromEntries(running.map(({ algorithm, state }) => [algorithm, toHex(state.digest())]));
}
