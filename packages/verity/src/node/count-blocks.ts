// SPDX-License-Identifier: Apache-2.0
import { type FileSource, isSameFile } from '@vouchsafe/bytes/node';
import { VerityError } from '../error.ts';
import { requireValidParameters, type VerityParameters } from '../tree/parameters.ts';

/** All that makes a tree but the number of blocks. */
export type UncountedParameters = Omit<VerityParameters, 'dataBlocks'>;

/**
 * How many blocks there are to protect when nobody says it: all of the data file or device, or all before the hash area
 * where both are in one file.
 * @throws {VerityError} 'options_invalid'; 'data_size' when that is nothing, or not a whole number of blocks.
 */
export function countDataBlocks(
  data: FileSource,
  parameters: UncountedParameters,
  hashPath: string,
  hashOffset: number,
): number {
  // Before blocks of that size are counted.
  requireValidParameters({ ...parameters, dataBlocks: 1 });
  const { dataBlockSize } = parameters;
  const inOneFile = hashOffset > 0 && isSameFile(data.label, hashPath);
  const size = inOneFile ? Math.min(hashOffset, data.size) : data.size;
  if (size === 0) throw new VerityError('data_size', `${data.label}: the file is empty, there is nothing to protect`);
  if (size % dataBlockSize !== 0) {
    const where = inOneFile ? `${size} octets before the hash area` : `${size} octets`;
    throw new VerityError(
      'data_size',
      `${data.label}: ${where} are not a multiple of the block size, ${dataBlockSize}; fill the file up (truncate -s %${dataBlockSize}), ` +
        'or say how much of it to protect with --data-blocks',
    );
  }
  return size / dataBlockSize;
}
