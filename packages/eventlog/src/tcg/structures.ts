// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import {
  bytes,
  type Codec,
  constant,
  type Infer,
  list,
  openEnumOf,
  rest,
  select,
  sized,
  struct,
  u8,
  u16le,
  u32le,
} from '@vouchsafe/codec';
import { TPM_HASH } from '@vouchsafe/tpm';
import { TCG_EVENT_TYPES } from './event-type.ts';

/** Banks that one log may declare. A TPM has five at most; the registry has eight hashes. */
const MAX_BANKS = 16;
/** Octets of a digest at most, as declared in the header; SHA-512 has 64. */
const MAX_DIGEST_BYTES = 64;

/** TCG_EVENTTYPE; open, as vendors and operating systems define their own. */
const tcgEventType = openEnumOf(u32le, TCG_EVENT_TYPES);

/** TPM_ALG_ID, little-endian in logs. */
const tpmAlgIdLe = openEnumOf(u16le, TPM_HASH);

/** TCG_EfiSpecIdEventAlgorithmSize. TCG PC Client Platform Firmware Profile 1.06, section 10.4.5.1. */
const tcgEfiSpecIdEventAlgorithmSize = struct('TCG_EfiSpecIdEventAlgorithmSize', {
  algorithmId: tpmAlgIdLe,
  digestSize: [u16le, 'octets'],
});

/** TCG PC Client Platform Firmware Profile 1.06, section 10.4.5.1. */
export const tcgEfiSpecIdEvent = struct('TCG_EfiSpecIDEvent', {
  signature: constant(bytes(16), ascii('Spec ID Event03\0')),
  platformClass: [u32le, '0 client, 1 server'],
  specVersionMinor: u8,
  specVersionMajor: u8,
  specErrata: u8,
  uintnSize: [u8, '1 for 32-bit, 2 for 64-bit'],
  digestSizes: [list(u32le, tcgEfiSpecIdEventAlgorithmSize, MAX_BANKS), 'the banks of the log'],
  vendorInfo: sized(u8, rest, 255),
});
export type TcgEfiSpecIdEvent = Infer<typeof tcgEfiSpecIdEvent>;

/** TCG_PCR_EVENT, of SHA-1 logs, and the header of every log. Profile 1.06, section 10.2.1. */
export function tcgPcrEvent(maxEventBytes: number) {
  return struct('TCG_PCR_EVENT', {
    pcrIndex: u32le,
    eventType: tcgEventType,
    digest: bytes(20),
    event: sized(u32le, rest, maxEventBytes),
  });
}
export type TcgPcrEvent = Infer<ReturnType<typeof tcgPcrEvent>>;

/**
 * TCG_PCR_EVENT2, of crypto agile logs. Profile 1.06, section 10.2.2. How long a digest is, the log's header says: so a
 * bank that we have no name for can be passed over, and one that the header does not declare is an error.
 */
export function tcgPcrEvent2(banks: TcgEfiSpecIdEvent['digestSizes'], maxEventBytes: number) {
  const arms = Object.fromEntries(banks.map(({ algorithmId, digestSize }) => [algorithmId, bytes(digestSize)]));
  const tpmtHa = struct('TPMT_HA', {
    hashAlg: tpmAlgIdLe,
    digest: select('hashAlg', arms as Record<string, Codec<Uint8Array>>),
  });
  return struct('TCG_PCR_EVENT2', {
    pcrIndex: u32le,
    eventType: tcgEventType,
    digests: list(u32le, tpmtHa, banks.length),
    event: sized(u32le, rest, maxEventBytes),
  });
}

/** True for a size that a digest may have; the header is not to choose others. */
export function isDigestSize(sizeBytes: number): boolean {
  return sizeBytes > 0 && sizeBytes <= MAX_DIGEST_BYTES;
}
