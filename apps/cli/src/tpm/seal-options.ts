// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { PkiError, parsePem } from '@vouchsafe/pki';
import { type PcrValue, systemdPinAuth } from '@vouchsafe/tpm';
import { readSmallFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';

/**
 * A PIN from a file, without the line feed that editors and echo put behind it.
 * @throws {UsageError} for an empty one
 */
export function readPin(path: string): string {
  let pin: string;
  try {
    pin = parseUtf8(readSmallFile(path)).replace(/\r?\n$/, '');
  } catch (cause) {
    if (cause instanceof TextError) throw new UsageError(`${path}: expected a PIN in UTF-8`, { cause });
    throw cause;
  }
  if (pin === '') throw new UsageError(`${path}: expected a PIN, found an empty file`);
  return pin;
}

/** The authValue of a PIN: systemd's way everywhere, so that long PINs fit and one rule holds for all forms. */
export const pinAuth = systemdPinAuth;

/** @throws {PkiError} 'pem_malformed' */
export function readPublicKey(path: string): Uint8Array {
  const [block] = parsePem(readSmallFile(path), 'PUBLIC KEY');
  if (block === undefined) throw new PkiError('pem_malformed', `${path}: expected '-----BEGIN PUBLIC KEY-----'`);
  return block.bytes;
}

/** The values of the selected PCRs out of a list. */
export function valuesOf(
  all: readonly PcrValue[],
  selections: readonly { readonly bank: PcrValue['bank']; readonly pcrs: readonly number[] }[],
): PcrValue[] {
  return all.filter((value) => selections.some(({ bank, pcrs }) => bank === value.bank && pcrs.includes(value.pcr)));
}
