// SPDX-License-Identifier: Apache-2.0
import {
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  type EfiSignatureList,
  encodeSignatureLists,
  KEY_VARIABLE_ATTRIBUTES,
  signVariable,
  type VariableTarget,
} from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';

export type KeyVariableName = 'PK' | 'KEK' | 'db' | 'dbx';

/** Variables of the keys, and how firmware is told to replace them. UEFI 2.10, 32.3. */
export const KEY_VARIABLES: Readonly<Record<KeyVariableName, VariableTarget>> = {
  PK: { name: 'PK', vendor: EFI_GLOBAL_VARIABLE, attributes: KEY_VARIABLE_ATTRIBUTES },
  KEK: { name: 'KEK', vendor: EFI_GLOBAL_VARIABLE, attributes: KEY_VARIABLE_ATTRIBUTES },
  db: { name: 'db', vendor: EFI_IMAGE_SECURITY_DATABASE, attributes: KEY_VARIABLE_ATTRIBUTES },
  dbx: { name: 'dbx', vendor: EFI_IMAGE_SECURITY_DATABASE, attributes: KEY_VARIABLE_ATTRIBUTES },
};

export function isKeyVariable(name: string): name is KeyVariableName {
  return Object.hasOwn(KEY_VARIABLES, name);
}

/** A variable's value, and the signed update that sets it. */
export interface VariableFiles {
  /** Signature lists: a .esl file. */
  readonly esl: Uint8Array;
  /** An authenticated variable: a .auth file. */
  readonly auth: Uint8Array;
}

/** @param timeMs whole seconds since 1970; firmware takes later updates only. */
export async function makeVariable(
  name: KeyVariableName,
  lists: readonly EfiSignatureList[],
  signer: Signer,
  timeMs: number,
): Promise<VariableFiles> {
  const esl = encodeSignatureLists(lists);
  return { esl, auth: await signVariable(KEY_VARIABLES[name], esl, { signer, timeMs }) };
}
