// SPDX-License-Identifier: Apache-2.0
import { stubVersionOf } from '@vouchsafe/pe';
import { LabError } from '../error.ts';
import { BOOT_CASES } from './boot-cases.ts';
import { DiskEdit } from './disk-edit.ts';
import type { Expectation, SecureBoot, TamperCase, TamperInputs } from './tamper-case.ts';
import { VERITY_CASES } from './verity-cases.ts';

const CASES = { ...VERITY_CASES, ...BOOT_CASES };
export type TamperCaseName = keyof typeof CASES;

/** Every way in which the lab tampers with a disk, or with the machine that runs on it, and what is to come of it. */
export const TAMPER_CASES: Readonly<Record<TamperCaseName, TamperCase>> = CASES;

export const TAMPER_CASE_NAMES = Object.keys(CASES) as readonly TamperCaseName[];

/** @throws {LabError} 'tamper_unfit' when the case means nothing under that state of Secure Boot. */
export function expectationOf(name: TamperCaseName, secureBoot: SecureBoot, disk: string): Expectation {
  const { expected, before } = TAMPER_CASES[name];
  const found = expected[secureBoot];
  if (found === undefined) {
    const message = `${name}: expected a machine with Secure Boot ${Object.keys(expected).join(' or ')}, found it ${secureBoot}`;
    throw new LabError('tamper_unfit', message);
  }
  if (before === undefined) return found;
  using edit = DiskEdit.open(disk);
  const version = stubVersionOf(edit.boot.artefacts.uki);
  return version !== undefined && version.major < before.stubVersion ? before.expected : found;
}

/**
 * Writes a copy of a disk with what the cases change before a boot, one after another; the disk itself is only read.
 * @throws {LabError} 'tamper_unfit', 'input_missing'. @throws {DiskError} @throws {PeError} @throws {BytesError}
 */
export async function tamperedCopy(
  names: readonly TamperCaseName[],
  disk: string,
  to: string,
  inputs: TamperInputs = {},
): Promise<void> {
  const cases = names.map((name) => ({ name, ...TAMPER_CASES[name] }) as TamperCase & { name: TamperCaseName });
  for (const { name, needs = [] } of cases) {
    const missing = needs.find((input) => inputs[input] === undefined);
    if (missing !== undefined) throw new LabError('input_missing', `${name}: expected to be given ${INPUTS[missing]}`);
  }
  const replaced = cases.flatMap(({ replace }) => replace?.(inputs) ?? [])[0];
  using edit = DiskEdit.open(replaced ?? disk);
  for (const { change } of cases) await change?.(edit, inputs);
  edit.write(to);
}

const INPUTS: Readonly<Record<keyof TamperInputs, string>> = {
  keys: 'a folder of keys',
  olderDisk: 'the disk of an earlier version',
  stub: 'a stub',
};

/**
 * Orders to the guest, when the cases are about a system that runs. What is done to the disk under it is done as the guest
 * asks for its orders.
 * @param copy the disk that the machine boots; it is written to.
 */
export function tamperOrders(names: readonly TamperCaseName[], copy: string): () => readonly string[] {
  const cases = names.map((name): TamperCase => TAMPER_CASES[name]);
  return () => {
    const orders = cases.flatMap((one) => one.orders ?? []);
    for (const { online } of cases) {
      if (online === undefined) continue;
      using edit = DiskEdit.open(copy);
      const { change, orders: further } = online(edit);
      change(edit);
      edit.apply();
      orders.push(...further);
    }
    return orders;
  };
}
