// SPDX-License-Identifier: Apache-2.0
import { encode, u32be } from '@vouchsafe/codec';
import { TpmError } from './error.ts';
import { handleType, TPM_HT } from './structures/handle.ts';

/** Something in a TPM that a command names by its handle. */
export interface TpmEntity {
  readonly handle: number;
  /**
   * Of objects and NV indices, as the caller knows it and not as the TPM says it now: an HMAC is over names, so that
   * nobody between can put another object under the same handle. Of everything else the handle is the name.
   */
  readonly name?: Uint8Array;
  /** Its authValue; empty unless given. A secret. */
  readonly auth?: Uint8Array;
}

/** What is given for a handle: a number where no name and no authValue is needed. */
export type HandleValue = number | TpmEntity;

export function entityOf(value: HandleValue): TpmEntity {
  return typeof value === 'number' ? { handle: value } : value;
}

const NAMED_TYPES: readonly number[] = [TPM_HT.nvIndex, TPM_HT.transient, TPM_HT.persistent];

/**
 * The name of an entity: given for objects and NV indices, the handle for PCRs, sessions and hierarchies. TPM 2.0
 * Library, Part 1, section 16 (Names).
 * @throws {TpmError} 'argument_invalid' where it must be given and is not
 */
export function entityName({ handle, name }: TpmEntity): Uint8Array {
  if (name !== undefined) return name;
  if (NAMED_TYPES.includes(handleType(handle))) {
    const found = `handle 0x${handle.toString(16)} alone`;
    throw new TpmError('argument_invalid', `expected the name of an object or NV index for a session, found ${found}`);
  }
  return encode(u32be, handle);
}

/**
 * An authValue without the zeros at its end, as TPMs keep it. TPM 2.0 Library, Part 1, section 19.6.4.3 (Authorization Size
 * Convention).
 */
export function trimAuth(auth: Uint8Array = new Uint8Array()): Uint8Array {
  let size = auth.length;
  while (size > 0 && auth[size - 1] === 0) size--;
  return auth.subarray(0, size);
}
