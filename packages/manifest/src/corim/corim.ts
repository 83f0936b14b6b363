// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '@vouchsafe/base';
import { conditionText } from '../choose-boot.ts';
import type { Manifest, ManifestBoot } from '../format/schema.ts';
import { BANKS, type Bank } from '../predicted-event.ts';
import { type CborMap, type CborValue, encodeCbor } from './cbor.ts';

/** CBOR tags. draft-ietf-rats-corim-10, sections 4.1 and 5.1. */
const UNSIGNED_CORIM = 501;
const CONCISE_MID = 506;

/** IANA, Named Information Hash Algorithm Registry (RFC 6920); SHA-1 has no number there. */
const HASH_NAMES: Readonly<Record<Bank, number | string>> = { sha1: 'sha-1', sha256: 1, sha384: 7, sha512: 8 };

const map = (...pairs: CborMap['pairs']): CborMap => ({ pairs });

/**
 * The manifest's PCR values and events as an unsigned CoRIM with one CoMID, for verifiers that take reference values in that
 * form. Each way to boot is a reference triple of its own: its measurements are the PCRs, as integrity registers, at each
 * phase, and the digests of the events, named. draft-ietf-rats-corim-10, sections 4.1 (corim-map), 5.1 (concise-mid-tag),
 * 5.1.4.7 (integrity-registers).
 */
export function encodeCorim(manifest: Manifest): Uint8Array {
  const { name, version, boots } = manifest;
  const comid = map(
    // comid.tag-identity: tag-id and tag-version.
    [1, map([0, `${name} ${version}`], [1, 0])],
    // comid.triples: reference-triples.
    [4, map([0, boots.map((boot) => referenceTriple(manifest, boot))])],
  );
  const corim = map([0, `${name} ${version}`], [1, [{ tag: CONCISE_MID, value: encodeCbor(comid) }]]);
  return encodeCbor({ tag: UNSIGNED_CORIM, value: corim });
}

function referenceTriple({ name, version, events }: Manifest, boot: ManifestBoot): CborValue {
  const condition = conditionText(boot.condition);
  // environment-map: class with its model.
  const environment = map([0, map([2, name])]);
  // measurement-map: mkey, mval; in mval version 0, digests 2, name 11, integrity-registers 14.
  const phases = boot.phases.map(({ phase, pcrs }) => {
    const label = phase === '' ? 'kernel' : phase;
    return map([0, `${condition}: ${label}`], [1, map([0, map([0, version])], [14, registersOf(boot.covers, pcrs)])]);
  });
  const measured = boot.events.map((place) => {
    const event = events[place];
    const value = map([2, digestsOf((bank) => event?.digests[bank])], [11, event?.description ?? '']);
    return map([0, event?.pcr ?? 0], [1, value]);
  });
  return [environment, [...phases, ...measured]];
}

function registersOf(covers: readonly number[], pcrs: ManifestBoot['phases'][number]['pcrs']): CborMap {
  return map(
    ...covers.map((pcr): readonly [number, CborValue] => [pcr, digestsOf((bank) => pcrs[bank]?.[String(pcr)])]),
  );
}

/** digests-type. draft-ietf-rats-corim-10, section 7.7. */
function digestsOf(valueIn: (bank: Bank) => string | undefined): CborValue {
  return BANKS.flatMap((bank): CborValue[] => {
    const value = valueIn(bank);
    return value === undefined ? [] : [[HASH_NAMES[bank], parseHex(value)]];
  });
}
