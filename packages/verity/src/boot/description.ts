// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { VerityError } from '../error.ts';
import type { HashAreaPlace } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';
import type { ParityDescription } from './parity.ts';

/** What a boot loader, kernel or initrd needs to know to open a verity root, wherever it is. */
export interface TreeDescription extends VerityBehaviour {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly rootHash: Uint8Array;
  /** Parity that mends what cannot be read. */
  readonly parity?: ParityDescription | undefined;
}

/** The same with the devices' names at boot, as the form of output wants them: a path, PARTUUID=…, major:minor. */
export interface VerityDescription extends TreeDescription {
  readonly dataDevice: string;
  readonly hashDevice: string;
}

/** What the kernel is to do besides answering reads. */
export interface VerityBehaviour {
  /** Blocks that should be zeros are not read but taken as such. */
  readonly ignoresZeroBlocks?: boolean | undefined;
  /** At the first damaged block; without it the read fails. */
  readonly onCorruption?: 'restart' | 'panic' | undefined;
  /** Description of the key of type 'user' that holds the root hash's signature. */
  readonly signatureKey?: string | undefined;
}

/** A salt as text; - is none, for the kernel, veritysetup and systemd alike. */
export const saltText = (salt: Uint8Array): string => (salt.length === 0 ? '-' : toHex(salt));

/** @throws {VerityError} 'options_invalid' for a text that is empty or would end the field early. */
export function requireFields(forbidden: RegExp, where: string, ...texts: readonly (string | undefined)[]): void {
  const bad = texts.find((text) => text === '' || (text !== undefined && forbidden.test(text)));
  if (bad !== undefined) throw new VerityError('options_invalid', `${JSON.stringify(bad)} cannot stand in ${where}`);
}
