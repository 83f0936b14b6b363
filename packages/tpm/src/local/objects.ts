// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { execute } from '../command/execute.ts';
import type { ExecuteOptions } from '../command/prepare.ts';
import { tpm2CreatePrimary } from '../commands/hierarchy.ts';
import { tpm2Create, tpm2Load, tpm2ReadPublic } from '../commands/object.ts';
import type { HandleValue, TpmEntity } from '../entity.ts';
import { TpmError } from '../error.ts';
import { nameOf, type PublicArea } from '../name.ts';
import type { PcrSelection } from '../pcr-selection.ts';
import { encodePcrSelection } from '../pcr-selection.ts';
import type { CreationData } from '../structures/creation.ts';
import { TPM_RH } from '../structures/handle.ts';
import type { TpmtTicket } from '../structures/ticket.ts';
import type { TpmTransport } from '../transport.ts';

/** An object in a TPM, whose name was made here from its public area. */
export interface LoadedObject extends TpmEntity {
  readonly handle: number;
  readonly name: Uint8Array;
  readonly area: PublicArea;
}

/** How an object came to be: the inputs of TPM2_CertifyCreation. */
export interface Creation {
  readonly data: CreationData;
  readonly hash: Uint8Array;
  readonly ticket: TpmtTicket;
}

export interface PrimaryOptions {
  readonly template: PublicArea;
  /** The owner's unless given. */
  readonly hierarchy?: HandleValue;
  /** The authValue of the new key; empty unless given. */
  readonly auth?: Uint8Array;
  readonly outsideInfo?: Uint8Array;
  readonly creationPcrs?: readonly PcrSelection[];
}

const EMPTY = new Uint8Array();

/**
 * Makes a primary key. The same template in the same hierarchy gives the same key, so that none need be kept. Whoever
 * makes one flushes it: see `withFlushed`.
 * @throws as `execute`; {TpmError} 'response_malformed' when the TPM names another object than it shows
 */
export async function createPrimary(
  tpm: TpmTransport,
  { template, hierarchy = TPM_RH.owner, auth = EMPTY, outsideInfo = EMPTY, creationPcrs = [] }: PrimaryOptions,
  options: ExecuteOptions = {},
): Promise<LoadedObject & { readonly creation: Creation }> {
  const output = await execute(
    tpm,
    tpm2CreatePrimary,
    {
      primaryHandle: hierarchy,
      inSensitive: { userAuth: auth, data: EMPTY },
      inPublic: template,
      outsideInfo,
      creationPCR: creationPcrs.map(encodePcrSelection),
    },
    options,
  );
  const area = ownArea(output.outPublic);
  const { creationData: data, creationHash: hash, creationTicket: ticket } = output;
  return {
    ...loadedObject('TPM2_CreatePrimary', output.objectHandle, area, output.name, auth),
    creation: { data, hash, ticket },
  };
}

export interface CreateOptions {
  readonly template: PublicArea;
  readonly auth?: Uint8Array;
  /** What is to be sealed, or a key of the caller's. */
  readonly data?: Uint8Array;
  readonly outsideInfo?: Uint8Array;
  readonly creationPcrs?: readonly PcrSelection[];
}

/** An object that lies outside the TPM, and that only its parent opens. */
export interface WrappedObject {
  readonly area: PublicArea;
  /** The contents of TPM2B_PRIVATE. */
  readonly private: Uint8Array;
}

/**
 * Makes an object under a parent; it is not loaded.
 * @throws as `execute`
 */
export async function createObject(
  tpm: TpmTransport,
  parent: TpmEntity,
  { template, auth = EMPTY, data = EMPTY, outsideInfo = EMPTY, creationPcrs = [] }: CreateOptions,
  options: ExecuteOptions = {},
): Promise<WrappedObject & { readonly creation: Creation }> {
  const output = await execute(
    tpm,
    tpm2Create,
    {
      parentHandle: parent,
      inSensitive: { userAuth: auth, data },
      inPublic: template,
      outsideInfo,
      creationPCR: creationPcrs.map(encodePcrSelection),
    },
    options,
  );
  const { creationData, creationHash: hash, creationTicket: ticket } = output;
  return {
    area: ownArea(output.outPublic),
    private: output.outPrivate.slice(),
    creation: { data: creationData, hash, ticket },
  };
}

/**
 * Loads an object that `createObject` or TPM2_Import made. Whoever loads one flushes it: see `withFlushed`.
 * @param auth its authValue
 * @throws as `execute`
 */
export async function loadObject(
  tpm: TpmTransport,
  parent: TpmEntity,
  { area, private: inPrivate }: WrappedObject,
  auth: Uint8Array = EMPTY,
  options: ExecuteOptions = {},
): Promise<LoadedObject> {
  const input = { parentHandle: parent, inPrivate, inPublic: area };
  const { objectHandle, name } = await execute(tpm, tpm2Load, input, options);
  return loadedObject('TPM2_Load', objectHandle, area, name, auth);
}

/**
 * What is at a handle, a persistent one above all. The area comes from the TPM and proves nothing: whoever salts a
 * session with it trusts what is between.
 * @throws as `execute`
 */
export async function readObject(tpm: TpmTransport, handle: number, auth: Uint8Array = EMPTY): Promise<LoadedObject> {
  const { outPublic, name } = await execute(tpm, tpm2ReadPublic, { objectHandle: handle });
  return loadedObject('TPM2_ReadPublic', handle, ownArea(outPublic), name, auth);
}

/** The area without the response it is a view of. */
function ownArea({ value, bytes }: PublicArea): PublicArea {
  return { value, bytes: bytes.slice() };
}

function loadedObject(
  command: string,
  handle: number,
  area: PublicArea,
  said: Uint8Array,
  auth: Uint8Array,
): LoadedObject {
  const name = nameOf(area);
  if (!bytesEqual(name, said)) {
    throw new TpmError('response_malformed', `${command}: expected the name of the public area, found another`);
  }
  return { handle, name, area, auth };
}
