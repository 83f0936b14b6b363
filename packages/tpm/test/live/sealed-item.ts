// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import {
  createObject,
  type LoadedObject,
  loadObject,
  sealedTemplate,
  type TpmTransport,
  withFlushed,
} from '@vouchsafe/tpm';
import { PLAIN } from './tpm.ts';

export const secret = ascii('a secret that nobody reads on the bus');
export const pin = ascii('a long PIN');

/** An object with that secret and that PIN for as long as `use` runs. */
export async function withSealed<T>(
  tpm: TpmTransport,
  srk: LoadedObject,
  use: (item: LoadedObject) => Promise<T>,
): Promise<T> {
  const options = { template: sealedTemplate(), auth: pin, data: secret };
  const sealed = await createObject(tpm, srk, options, PLAIN);
  const item = await loadObject(tpm, srk, sealed, pin);
  return withFlushed(tpm, item, () => use(item));
}
