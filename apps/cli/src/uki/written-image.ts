// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { FileSource, type OutputFile } from '@vouchsafe/bytes/node';
import { openPe, type PeFile, type SignPeOptions, signWrittenPe } from '@vouchsafe/pe';

/** What was written to an output that has no name yet. */
export function openWritten(output: OutputFile, sizeBytes: number): PeFile {
  const extents = [{ start: 0, end: sizeBytes }];
  return openPe(FileSource.over({ fd: output.fd, label: output.label, size: sizeBytes, extents }));
}

/** Signs an image where it was written. */
export async function signWritten(
  output: OutputFile,
  sizeBytes: number,
  options: SignPeOptions & LongWork,
): Promise<void> {
  await signWrittenPe(openWritten(output, sizeBytes), output, options);
}
