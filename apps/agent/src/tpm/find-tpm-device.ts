// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../error.ts';

/** The kernel's resource manager first: with it no other program is in the way. */
const DEVICES = ['dev/tpmrm0', 'dev/tpm0'];

/**
 * The TPM of this machine.
 * @param root where devices are looked for; `/` unless given
 * @throws {AgentError} 'tpm_missing'
 */
export function findTpmDevice(root = '/'): string {
  const found = DEVICES.map((path) => join(root, path)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  const message =
    'expected /dev/tpmrm0 or /dev/tpm0, found neither; is a TPM 2.0 switched on in the firmware, and does the kernel have its driver?';
  throw new AgentError('tpm_missing', message);
}
