// SPDX-License-Identifier: Apache-2.0
// What is chosen by the hardware that an image runs on, from folders as ukify takes them.
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseUtf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';
import { efiFirmwareSection, encodeHwids, parseHwidDevice } from '@vouchsafe/pe';
import { readSmallFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';

/** Descriptions in one folder; systemd's own has some dozens. */
const MAX_DESCRIPTIONS = 4096;

/** .hwids of all *.json in the folder and those in it, in the order of their names. */
export function readHwids(folder: string): ByteSource {
  const paths = filesIn(folder, true).filter((path) => path.endsWith('.json'));
  if (paths.length === 0) throw new UsageError(`--hwids ${folder}: expected files *.json in the folder, found none`);
  if (paths.length > MAX_DESCRIPTIONS) {
    throw new UsageError(`--hwids ${folder}: expected at most ${MAX_DESCRIPTIONS} files, found ${paths.length}`);
  }
  const devices = paths.map((path) => parseHwidDevice(parseUtf8(readSmallFile(path)), path));
  return memorySource(encodeHwids(devices), '.hwids');
}

/** .efifw of the one file in the folder, whose name is the ID of the firmware. */
export function openFirmware(folder: string, open: (path: string) => ByteSource): ByteSource {
  const [path, ...more] = filesIn(folder, false);
  if (path === undefined || more.length > 0) {
    const found = path === undefined ? 'none' : more.length + 1;
    throw new UsageError(`--efifw ${folder}: expected one file in the folder, found ${found}`);
  }
  return efiFirmwareSection(basename(resolve(folder)), open(path));
}

/** Sorted, so that no file system's order decides what an image is. */
function filesIn(folder: string, isDeep: boolean): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: isDeep })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted((a, b) => (a < b ? -1 : 1));
  } catch (cause) {
    throw hostError(folder, cause);
  }
}
