// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { keyVariables } from '@vouchsafe/image/boot';
import {
  decodeVariableStore,
  EDK2_SECURE_BOOT_ENABLE,
  EFI_GLOBAL_VARIABLE,
  enrolSecureBoot,
  liveVariables,
  VARIABLE_ATTRIBUTE,
  writeVariables,
} from '@vouchsafe/pe';
import { LabError } from '../error.ts';
import { FIRMWARE_VARIABLES } from './firmware.ts';

/** Later signed updates must be later than this; the same keys give the same store. */
const ENROLLED_MS = 0;

/**
 * The variable store of a machine that has the keys of a folder enrolled, as a manifest's PCR 7 is about, with Secure Boot
 * switched on or off.
 * @param keys a folder of `keys generate`; no private key is read.
 * @throws {LabError} 'input_missing'. @throws {PeError} @throws {BytesError}
 */
export function machineVariables(keys: string, secureBoot: 'on' | 'off'): Uint8Array {
  const lists = new Map(keyVariables(keys).map(({ name, data }) => [name, data]));
  const [pk, kek, db, dbx] = ['PK', 'KEK', 'db', 'dbx'].map((name) => lists.get(name));
  if (pk === undefined || kek === undefined || db === undefined) {
    throw new LabError('input_missing', `${keys}: expected PK.esl, KEK.esl and db.esl, as keys generate makes them`);
  }
  const on = enrolSecureBoot(readFileSync(FIRMWARE_VARIABLES), {
    ...{ pk, kek, db, timeMs: ENROLLED_MS },
    ...(dbx === undefined ? {} : { dbx }),
  });
  if (secureBoot === 'on') return on;
  const { nonVolatile, bootserviceAccess } = VARIABLE_ATTRIBUTE;
  return writeVariables(decodeVariableStore(on), [
    {
      name: 'SecureBootEnable',
      vendor: EDK2_SECURE_BOOT_ENABLE,
      attributes: nonVolatile | bootserviceAccess,
      timeBytes: new Uint8Array(16),
      data: Uint8Array.of(0),
    },
  ]);
}

/** Whether a machine with this variable store starts with Secure Boot on. UEFI 2.10, section 32.3; EDK II's SecureBootEnable. */
export function isSecureBootOn(store: Uint8Array): boolean {
  const live = liveVariables(decodeVariableStore(store));
  const has = (name: string, vendor: string): Uint8Array | undefined =>
    live.find((variable) => variable.name === name && variable.vendor === vendor)?.data;
  return has('PK', EFI_GLOBAL_VARIABLE) !== undefined && has('SecureBootEnable', EDK2_SECURE_BOOT_ENABLE)?.[0] === 1;
}
