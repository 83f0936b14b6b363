// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostError } from '@vouchsafe/bytes/node';
import type { FirmwareVariable } from '@vouchsafe/measure';
import { EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE } from '@vouchsafe/pe';

const KEY_VARIABLES = [
  ['PK', EFI_GLOBAL_VARIABLE],
  ['KEK', EFI_GLOBAL_VARIABLE],
  ['db', EFI_IMAGE_SECURITY_DATABASE],
  ['dbx', EFI_IMAGE_SECURITY_DATABASE],
] as const;

/**
 * The Secure Boot variables of a machine that has just the signature lists of a folder (PK.esl, KEK.esl, db.esl, dbx.esl), as
 * `keys generate` makes it; none when there is none in it.
 * @throws {BytesError}
 */
export function keyVariables(folder: string): FirmwareVariable[] {
  return KEY_VARIABLES.flatMap(([name, vendor]) => {
    const path = join(folder, `${name}.esl`);
    if (!existsSync(path)) return [];
    try {
      return [{ name, vendor, data: readFileSync(path) }];
    } catch (cause) {
      throw hostError(path, cause);
    }
  });
}
