// SPDX-License-Identifier: Apache-2.0
import type { ByteSource, Extent } from '@vouchsafe/bytes';
import { PeError } from '../error.ts';
import type { ImageDataDirectory } from '../format/data-directory.ts';
import { CERTIFICATE_ALIGNMENT } from '../format/win-certificate.ts';
import { MAX_CERTIFICATE_TABLE_BYTES } from '../limits.ts';

/**
 * Where the certificate table is. It must end where the file ends: firmware takes its size off the end of what it hashes
 * without looking where it is (EDK II, DxeImageVerificationLib.c, HashPeImage), so data behind it would trade places with
 * signed data.
 */
export function certificateTableExtent(
  source: ByteSource,
  directory: ImageDataDirectory | undefined,
  directoryOffset: number,
  sectionsEnd: number,
  headersEnd: number,
): Extent | undefined {
  if (directory === undefined || directory.size === 0) return undefined;
  const { virtualAddress: start, size } = directory;
  const end = start + size;
  const problem = (expected: string): PeError =>
    new PeError(
      'certificate_table',
      `${source.label}: expected the certificate table ${expected}, found ${start} to ${end}`,
      {
        offset: directoryOffset,
      },
    );
  if (size > MAX_CERTIFICATE_TABLE_BYTES) {
    const message = `${source.label}: expected at most ${MAX_CERTIFICATE_TABLE_BYTES} octets of certificates, found ${size}`;
    throw new PeError('limit', message, { offset: directoryOffset });
  }
  if (end !== source.size) throw problem(`to end where the file does, at ${source.size}`);
  if (start % CERTIFICATE_ALIGNMENT !== 0) throw problem(`at a multiple of ${CERTIFICATE_ALIGNMENT} octets`);
  const dataEnd = Math.max(sectionsEnd, headersEnd);
  if (start < dataEnd) throw problem(`behind the sections, which end at ${dataEnd}`);
  return { start, end };
}
