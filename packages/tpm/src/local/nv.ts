// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { execute } from '../command/execute.ts';
import type { ExecuteOptions } from '../command/prepare.ts';
import { tpm2NvRead, tpm2NvReadPublic } from '../commands/nv.ts';
import { entityOf, type HandleValue, type TpmEntity } from '../entity.ts';
import { TpmError } from '../error.ts';
import { nvNameOf } from '../name.ts';
import { MAX_NV_BUFFER_BYTES, type NvPublic } from '../structures/nv.ts';
import type { TpmTransport } from '../transport.ts';
import { readProperties } from './capabilities.ts';

/** An NV index, whose name was made here from its public area. */
export interface NvIndex extends TpmEntity {
  readonly name: Uint8Array;
  readonly area: NvPublic;
}

/**
 * What an NV index is now. Its name changes with its first write and with its locks: read it again after these.
 * @throws as `execute`; {TpmError} 'response_malformed' when the TPM names another index than it shows
 */
export async function readNvIndex(tpm: TpmTransport, handle: number, auth?: Uint8Array): Promise<NvIndex> {
  const { nvPublic, nvName } = await execute(tpm, tpm2NvReadPublic, { nvIndex: handle });
  const area = { value: nvPublic.value, bytes: nvPublic.bytes.slice() };
  const name = nvNameOf(area);
  if (area.value.nvIndex !== handle || !bytesEqual(name, nvName)) {
    throw new TpmError('response_malformed', 'TPM2_NV_ReadPublic: expected the index and its name, found another');
  }
  return { handle, name, area, ...(auth === undefined ? {} : { auth }) };
}

/** What a TPM takes or gives at a time when it does not say: the least of the PC Client profile. */
const DEFAULT_CHUNK_BYTES = 512;

/**
 * The contents of an NV index, as much at a time as the TPM gives.
 * @param authorizedBy whose authValue or session authorizes it: the index itself unless given, or a hierarchy
 * @throws as `execute`
 */
export async function readNv(
  tpm: TpmTransport,
  index: NvIndex,
  authorizedBy: HandleValue = index,
  options: ExecuteOptions = {},
): Promise<Uint8Array> {
  const properties = await readProperties(tpm, 'fixed');
  // What the TPM says of itself is input too: never nothing at a time, never more than we read.
  const chunk = Math.min(properties.get('nvBufferMax') || DEFAULT_CHUNK_BYTES, MAX_NV_BUFFER_BYTES);
  const parts: Uint8Array[] = [];
  const { dataSize } = index.area.value;
  for (let offset = 0; offset < dataSize; ) {
    const size = Math.min(chunk, dataSize - offset);
    const input = { authHandle: entityOf(authorizedBy), nvIndex: index, size, offset };
    const { data } = await execute(tpm, tpm2NvRead, input, options);
    if (data.length !== size) {
      throw new TpmError('response_malformed', `TPM2_NV_Read: expected ${size} octets, found ${data.length}`);
    }
    parts.push(data.slice());
    offset += size;
  }
  return concatBytes(...parts);
}
