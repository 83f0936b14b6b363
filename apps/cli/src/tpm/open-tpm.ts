// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from '@vouchsafe/crypto/signing';
import type { TpmTransport } from '@vouchsafe/tpm';
import { type OpenTpm, openSwtpm, openTpmDevice } from '@vouchsafe/tpm/node';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { UsageError } from '../usage-error.ts';

/** Where a TPM is, as --tpm says it. */
export type TpmPlace =
  | { readonly kind: 'device'; readonly path: string }
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'port'; readonly host: string; readonly port: number };

const DEFAULT_PLACE = 'device:/dev/tpmrm0';
/** For machines whose TPM is elsewhere, and for tests. */
export const VARIABLE = 'VOUCHSAFE_TPM';

export function tpmPlace(text: string): TpmPlace {
  const [, kind, rest = ''] = /^(device|swtpm):(.+)$/.exec(text) ?? [];
  if (kind === 'device') return { kind: 'device', path: rest };
  if (kind === 'swtpm') {
    const [, host, port] = /^(.*[^:/]):([0-9]{1,5})$/.exec(rest) ?? [];
    if (host === undefined) return { kind: 'socket', path: rest };
    if (Number(port) >= 1 && Number(port) <= 65_535) return { kind: 'port', host, port: Number(port) };
  }
  throw new InvalidArgumentError('Expected device:PATH, swtpm:SOCKET or swtpm:HOST:PORT.');
}

export function tpmOption(): Option {
  const place = process.env[VARIABLE] || DEFAULT_PLACE;
  let fallback: TpmPlace;
  try {
    fallback = tpmPlace(place);
  } catch (cause) {
    throw new UsageError(`${VARIABLE}: ${(cause as Error).message}`, { cause });
  }
  return new Option('--tpm <place>', `device:PATH, swtpm:SOCKET or swtpm:HOST:PORT; ${VARIABLE} says another default`)
    .argParser(tpmPlace)
    .default(fallback, place);
}

/** Random octets from the host: a TPM's own would be no help against one that lies. */
export const random = randomBytes;

/**
 * A TPM for as long as `use` runs.
 * @throws {TpmError} 'io'
 */
export async function withTpm<T>(place: TpmPlace, use: (tpm: TpmTransport) => Promise<T>): Promise<T> {
  const tpm = await openPlace(place);
  try {
    return await use(tpm);
  } finally {
    await tpm.close();
  }
}

/** @throws {TpmError} 'io' */
export function openPlace(place: TpmPlace): Promise<OpenTpm> {
  switch (place.kind) {
    case 'device':
      return openTpmDevice(place.path);
    case 'socket':
      return openSwtpm({ path: place.path });
    case 'port':
      return openSwtpm({ host: place.host, port: place.port });
  }
}
