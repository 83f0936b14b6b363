// SPDX-License-Identifier: Apache-2.0
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { checkFat, findFatEntry, listFat, openFat, openFatFile } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';
import { patternSource, readTestdata, smallFat32, textSource } from '../test/support.ts';

/** Bytes as a FAT file system: whatever is listed has a path of plain parts, and a file its size. */
export const target: FuzzTarget = {
  name: 'disk-fat',
  seeds: () => [
    smallFat32([
      { path: 'EFI/Linux/testos_7.1+3-0.efi', content: patternSource(2000) },
      { path: 'loader/loader.conf', content: textSource('timeout 0\n') },
    ]),
    readTestdata('fat/fat12.img'),
  ],
  run(bytes) {
    const volume = openFat(memorySource(bytes));
    checkFat(volume);
    for (const entry of listFat(volume)) {
      if (entry.path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
        throw new Error(`a path that climbs: ${entry.path}`);
      }
      if (entry.kind === 'directory') continue;
      const file = openFatFile(volume, entry);
      if (file.size !== entry.sizeBytes || file.size > bytes.length) throw new Error(`a size that lies: ${entry.path}`);
      readBytes(file, 0, file.size);
    }
    findFatEntry(volume, 'EFI/Linux');
  },
};
