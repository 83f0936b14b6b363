// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';

/** A variable that systemd-boot enrols from a file. */
export interface EnrolmentVariable {
  readonly name: 'PK' | 'KEK' | 'db' | 'dbx';
  /** Without one of these the folder is not offered; dbx is read since systemd-boot 257, where it is there. */
  readonly isRequired: boolean;
}

/**
 * In the order of writing: PK last, as writing it ends Setup Mode. systemd, src/boot/secure-boot.c,
 * secure_boot_enroll_at; systemd-boot(7), /loader/keys.
 */
export const ENROLMENT_VARIABLES: readonly EnrolmentVariable[] = [
  { name: 'dbx', isRequired: false },
  { name: 'db', isRequired: true },
  { name: 'KEK', isRequired: true },
  { name: 'PK', isRequired: true },
];

/** Signed contents of the variables: .auth files, not bare signature lists. */
export interface EnrolmentKeys {
  readonly pk: Uint8Array;
  readonly kek: Uint8Array;
  readonly db: Uint8Array;
  readonly dbx?: Uint8Array;
}

/**
 * The name of a folder that systemd-boot enrols by itself when loader.conf says 'if-safe' or 'force'; others are offered
 * in its menu.
 */
export const AUTO_ENROLMENT_NAME = 'auto';

/**
 * The file of one variable: /loader/keys/NAME/db.auth.
 * @throws {PeError} 'options_invalid' for a name that is no folder's.
 */
export function enrolmentPath(name: string, variable: EnrolmentVariable['name']): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    throw new PeError(
      'options_invalid',
      `expected a folder's name of letters, digits, '_', '.' and '-', found '${name.slice(0, 80)}'`,
    );
  }
  return `/loader/keys/${name}/${variable}.auth`;
}

/**
 * The files that systemd-boot enrols keys from in Setup Mode, by their paths on the ESP.
 * @throws {PeError} 'options_invalid'.
 */
export function enrolmentFiles(keys: EnrolmentKeys, name: string = AUTO_ENROLMENT_NAME): Map<string, Uint8Array> {
  const { pk, kek, db, dbx } = keys;
  const contents = { PK: pk, KEK: kek, db, dbx };
  const files = new Map<string, Uint8Array>();
  for (const variable of ENROLMENT_VARIABLES) {
    const content = contents[variable.name];
    if (content !== undefined) files.set(enrolmentPath(name, variable.name), content);
  }
  return files;
}
