// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { TpmError } from '../error.ts';
import { createPrimary, type LoadedObject, readObject } from '../local/objects.ts';
import { nameOf, type PublicArea } from '../name.ts';
import { TpmResponseError } from '../return-code/return-code.ts';
import { withFlushed } from '../session/scope.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { TPM_RH } from '../structures/handle.ts';
import { srkTemplate, storageTemplate } from '../templates.ts';
import type { TpmTransport } from '../transport.ts';

/**
 * The primary key of the owner's hierarchy that a sealed object lies under, made anew each time: the same template gives
 * the same key. 'srk' is the TCG's; 'plain' the one that tpm2-tools (and so Clevis) and systemd up to 253 ask for;
 * 'tpm2-totp' the one of that program.
 */
export interface PrimaryParent {
  readonly template: 'srk' | 'plain' | 'tpm2-totp';
  readonly key: 'ecc' | 'rsa';
  /** Its nameAlg; that of the SRK is SHA-256. */
  readonly hash: TpmHash;
}

/** A key that somebody put at a persistent handle, as systemd 254 and later have theirs under the SRK. */
export interface PersistentParent {
  readonly template: 'persistent';
  readonly handle: number;
  /** As it was when the secret was sealed: what a session is salted with is not what somebody between says it is. */
  readonly area: PublicArea;
}

export type SealParent = PrimaryParent | PersistentParent;

export const SRK_PARENT: PrimaryParent = { template: 'srk', key: 'ecc', hash: 'sha256' };

function parentTemplate({ template, key, hash }: PrimaryParent): PublicArea {
  return template === 'srk' ? srkTemplate(key) : storageTemplate(key, hash, { noDA: template === 'tpm2-totp' });
}

/**
 * The parent, for as long as `use` runs.
 * @param ownerAuth the owner's authValue, empty unless given.
 * @throws {TpmError} 'object_foreign' when another key is at the handle of a persistent one; as `execute`
 */
export async function withParent<T>(
  tpm: TpmTransport,
  parent: SealParent,
  ownerAuth: Uint8Array | undefined,
  use: (parent: LoadedObject) => Promise<T>,
): Promise<T> {
  if (parent.template === 'persistent') return withPersistent(tpm, parent, ownerAuth, use);
  const key = await makePrimary(tpm, parentTemplate(parent), ownerAuth);
  return withFlushed(tpm, key, () => use(key));
}

function makePrimary(tpm: TpmTransport, template: PublicArea, ownerAuth: Uint8Array | undefined) {
  const hierarchy = { handle: TPM_RH.owner, ...(ownerAuth === undefined ? {} : { auth: ownerAuth }) };
  return createPrimary(tpm, { template, hierarchy }, { allowPlaintext: ownerAuth === undefined });
}

/** Where the handle is empty the SRK's template may still give the key: somebody evicted it, and no more. */
async function withPersistent<T>(
  tpm: TpmTransport,
  { handle, area }: PersistentParent,
  ownerAuth: Uint8Array | undefined,
  use: (parent: LoadedObject) => Promise<T>,
): Promise<T> {
  const name = nameOf(area);
  const found = await objectAt(tpm, handle);
  if (found !== undefined) {
    if (!bytesEqual(found.name, name)) throw foreign(`another key is at handle 0x${handle.toString(16)}`);
    return use(found);
  }
  const { type } = area.value;
  if (type !== 'ecc' && type !== 'rsa') throw foreign(`nothing is at handle 0x${handle.toString(16)}`);
  const made = await makePrimary(tpm, srkTemplate(type), ownerAuth);
  return withFlushed(tpm, made, () => {
    if (!bytesEqual(made.name, name)) throw foreign('the storage root key of this TPM is another');
    return use(made);
  });
}

async function objectAt(tpm: TpmTransport, handle: number): Promise<LoadedObject | undefined> {
  try {
    return await readObject(tpm, handle);
  } catch (error) {
    if (error instanceof TpmResponseError && error.returnCode.name === 'TPM_RC_HANDLE') return undefined;
    throw error;
  }
}

function foreign(what: string): TpmError {
  return new TpmError('object_foreign', `expected the key that the secret was sealed under; ${what}`);
}
