// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import {
  createPrimary,
  type LoadedObject,
  loadObject,
  nameOf,
  type PublicArea,
  storageTemplate,
  TPM_RH,
  type TpmTransport,
  tpmtPublic,
  withFlushed,
} from '@vouchsafe/tpm';
import { AgentError } from '../error.ts';
import type { MachineKeys, WrappedKey } from '../machine-tpm.ts';

/**
 * The key that the machine's keys are under: the primary key of the owner's hierarchy that the parent TPM_RH_OWNER of a TSS2
 * PRIVATE KEY stands for (draft-bottomley-tpm2-keys, section 3.1.8), made anew whenever it is needed. No room in the TPM is
 * taken for good, no handle can collide with another program's, and other software finds the same parent.
 */
const STORAGE_PARENT = storageTemplate('ecc', 'sha256', { noDA: true });
/** How a TSS2 PRIVATE KEY names it. */
export const STORAGE_PARENT_HANDLE = TPM_RH.owner;

/** The storage parent for as long as `use` runs. */
export async function withParent<T>(tpm: TpmTransport, use: (parent: LoadedObject) => Promise<T>): Promise<T> {
  const parent = await createPrimary(tpm, { template: STORAGE_PARENT });
  return withFlushed(tpm, parent, () => use(parent));
}

/**
 * As `withParent`, of keys that were made before.
 * @throws {AgentError} 'tpm_changed' when it is not the parent that they were made under
 */
export async function withKnownParent<T>(
  tpm: TpmTransport,
  keys: MachineKeys,
  use: (parent: LoadedObject) => Promise<T>,
): Promise<T> {
  const known = publicAreaOf(keys.parent);
  return withParent(tpm, async (parent) => {
    if (bytesEqual(parent.name, nameOf(known))) return use(parent);
    const message =
      'expected the TPM that this machine enrolled with, found another, or one that was cleared since; have an operator reset the device, then enrol anew';
    throw new AgentError('tpm_changed', message);
  });
}

/** One of the machine's keys for as long as `use` runs. */
export async function withKey<T>(
  tpm: TpmTransport,
  parent: LoadedObject,
  key: WrappedKey,
  use: (key: LoadedObject) => Promise<T>,
): Promise<T> {
  const wrapped = { area: publicAreaOf(key.publicArea), private: parseBase64url(key.privateArea) };
  const loaded = await loadObject(tpm, parent, wrapped);
  return withFlushed(tpm, loaded, () => use(loaded));
}

/** @throws {CodecError} for what is no TPMT_PUBLIC. */
export function publicAreaOf(text: string): PublicArea {
  const bytes = parseBase64url(text);
  return { value: decode(tpmtPublic, bytes), bytes };
}

export const wrappedKeyOf = (object: { readonly area: PublicArea; readonly private: Uint8Array }): WrappedKey => ({
  publicArea: encodeBase64url(object.area.bytes),
  privateArea: encodeBase64url(object.private),
});
