// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import { OutputFile } from '@vouchsafe/bytes/node';
import { copySource } from '@vouchsafe/disk';
import type { Recipe } from '../recipe/recipe.ts';

export interface OutputNames {
  readonly disk: string;
  readonly uki: string;
  readonly manifest: string;
  readonly fileList: string;
  readonly initrdFileList: string;
  readonly packages: string;
  /** A picture of what takes the space. */
  readonly sizes: string;
}

/** Where the files of an image go. */
export function outputNames({ name, version }: Recipe, folder: string): OutputNames {
  const base = join(folder, `${name}_${version}`);
  return {
    disk: `${base}.raw`,
    uki: `${base}.efi`,
    manifest: `${base}.manifest.json`,
    fileList: `${base}.files.json`,
    initrdFileList: `${base}.initrd-files.json`,
    packages: `${base}.cdx.json`,
    sizes: `${base}.sizes.svg`,
  };
}

/** Before hours of work rather than after them; the file itself is made exclusively. */
export function requireFree(path: string, force: boolean): void {
  using probe = OutputFile.create(path, { force });
  probe.discard();
}

/** What may be larger, whole or not at all. */
export function writeCopy(path: string, source: ByteSource, force = false): void {
  using file = OutputFile.create(path, { force });
  copySource(source, file, 0);
  file.commit();
}

/** A file that fits into memory, whole or not at all. */
export function writeSmall(path: string, bytes: Uint8Array, force = false): void {
  using file = OutputFile.create(path, { force });
  file.write(0, bytes);
  file.commit();
}
