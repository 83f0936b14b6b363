// SPDX-License-Identifier: Apache-2.0
import { CodecError, decode, type Infer } from '@vouchsafe/codec';
import { tcgEfiStartupLocalityEvent } from '../tcg/startup.ts';
import { type TcgEfiSpecIdEvent, tcgEfiSpecIdEvent } from '../tcg/structures.ts';
import {
  tcgSp800155PlatformIdEvent,
  tcgSp800155PlatformIdEvent2,
  tcgSp800155PlatformIdEvent3,
  tcgSpecIdEventSha1,
} from './tables.ts';
import { textOf } from './text.ts';

/** Fields of an SP 800-155 event; version 1 has the first two alone, version 3 all of them. */
export type PlatformId = Infer<typeof tcgSp800155PlatformIdEvent> & Partial<Infer<typeof tcgSp800155PlatformIdEvent3>>;

/** What an EV_NO_ACTION event says. Nothing of it is measured. */
export type NoActionData =
  | { readonly kind: 'specId'; readonly specId: TcgEfiSpecIdEvent }
  /** The header of a SHA-1 log: 'Spec ID Event00' or 'Spec ID Event02'. */
  | { readonly kind: 'specIdSha1'; readonly specId: Infer<typeof tcgSpecIdEventSha1> }
  | { readonly kind: 'startupLocality'; readonly locality: number }
  /** Where the maker's reference values are: SP 800-155 events of version 1 to 3. */
  | {
      readonly kind: 'sp800155';
      readonly version: 1 | 2 | 3;
      readonly platformId: PlatformId;
    }
  /** Any other: the 16 characters it starts with, and what follows. */
  | { readonly kind: 'noAction'; readonly signature: string; readonly content: Uint8Array };

/** Octets of the signature that every structured EV_NO_ACTION starts with. Profile 1.06, section 10.4.5. */
const SIGNATURE_BYTES = 16;

/**
 * Takes the data of an EV_NO_ACTION event apart by its signature.
 * @throws {CodecError} for a known signature and other data
 */
export function decodeNoAction(data: Uint8Array): NoActionData {
  const signature = textOf(trimNuls(data.subarray(0, SIGNATURE_BYTES)));
  if (data.length < SIGNATURE_BYTES || signature?.encoding !== 'utf-8') {
    throw new CodecError('invalid', 0, 'expected a signature of 16 characters, found other bytes');
  }
  const content = data.subarray(SIGNATURE_BYTES);
  switch (signature.text) {
    case 'Spec ID Event03':
      return { kind: 'specId', specId: decode(tcgEfiSpecIdEvent, data) };
    case 'Spec ID Event00':
    case 'Spec ID Event02':
      return { kind: 'specIdSha1', specId: decode(tcgSpecIdEventSha1, data) };
    case 'StartupLocality':
      return { kind: 'startupLocality', locality: decode(tcgEfiStartupLocalityEvent, data).startupLocality };
    case 'SP800-155 Event':
      return { kind: 'sp800155', version: 1, platformId: decode(tcgSp800155PlatformIdEvent, content) };
    case 'SP800-155 Event2':
      return { kind: 'sp800155', version: 2, platformId: decode(tcgSp800155PlatformIdEvent2, content) };
    case 'SP800-155 Event3':
      return { kind: 'sp800155', version: 3, platformId: decode(tcgSp800155PlatformIdEvent3, content) };
  }
  return { kind: 'noAction', signature: signature.text, content };
}

function trimNuls(bytes: Uint8Array): Uint8Array {
  const end = bytes.findLastIndex((octet) => octet !== 0) + 1;
  return bytes.subarray(0, end);
}
