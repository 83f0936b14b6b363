// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, type Extent, requireRange, totalLength } from '@vouchsafe/bytes';

/** A file whose last block is filled up with zeros. */
export function paddedFile(file: ByteSource, blockSize: number): ByteSource {
  const size = Math.ceil(file.size / blockSize) * blockSize;
  if (size === file.size) return file;
  const padded: ByteSource = {
    size,
    label: file.label,
    read(offset, target) {
      requireRange(padded, offset, target.length);
      const inFile = Math.max(0, Math.min(target.length, file.size - offset));
      if (inFile > 0) file.read(offset, target.subarray(0, inFile));
      target.fill(0, inFile);
    },
    readScattered(offset, targets) {
      // The common way for all but the last blocks.
      if (file.readScattered !== undefined && offset + totalLength(targets) <= file.size) {
        file.readScattered(offset, targets);
        return;
      }
      let at = offset;
      for (const target of targets) {
        padded.read(at, target);
        at += target.length;
      }
    },
  };
  const extentsOf = file.dataExtents?.bind(file);
  if (extentsOf) padded.dataExtents = (): readonly Extent[] => extentsOf();
  return padded;
}
