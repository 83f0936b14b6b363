// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, concatBytes, toHex } from '@vouchsafe/base';
import { type Replay, replayedPcr, type TcgLog } from '@vouchsafe/eventlog';
import {
  formatBank,
  isTpmHash,
  isTpmHashAvailable,
  type TpmHash,
  tpmDigest,
  tpmHashSize,
  type VerifiedQuote,
} from '@vouchsafe/tpm';
import { IMA_PCR } from './check-reference.ts';
import type { AppraisalFinding } from './finding.ts';

/** PCRs that a dynamic launch resets to other than zeros, 17 to 22, and those that anybody may reset, 16 and 23. */
const LAST_STATIC_PCR = 15;

/**
 * PCRs that no event of the log extends must be as they are after a reset, in every quoted bank: what was put there, nobody
 * says. PCR 10 is the kernel's: it may hold the one entry that every kernel with IMA makes.
 */
export function checkUntouched(quote: VerifiedQuote, log: TcgLog, replay: Replay): AppraisalFinding[] {
  const extended = new Set(log.events.filter(({ type }) => type !== 'EV_NO_ACTION').map(({ pcr }) => pcr));
  return quote.pcrs.flatMap(({ bank, pcr, value }): AppraisalFinding[] => {
    const isUntouched = value.every((octet) => octet === 0);
    if (pcr > LAST_STATIC_PCR || extended.has(pcr) || isUntouched) return [];
    const where = { artefact: 'quote', pcr, bank: formatBank(bank) };
    if (pcr !== IMA_PCR) {
      const hint = `PCR ${pcr} was extended, and no log says with what`;
      return [{ code: 'pcr_unpredicted', severity: 'error', where, actual: toHex(value), hint }];
    }
    if (isTpmHash(bank) && isBootAggregateAlone(value, bank, replay)) return [];
    const hint = 'The kernel measured files into PCR 10, and its list was not appraised';
    return [{ code: 'ima_unappraised', severity: 'warning', where, actual: toHex(value), hint }];
  });
}

const BOOT_AGGREGATE_PCRS = 10;

/** What follows the name in an entry of ima-ng, and of ima-sig: an empty signature. ima_template.c, supported_fields. */
const TEMPLATE_TAILS = [new Uint8Array(0), new Uint8Array(4)];

/**
 * Whether PCR 10 holds just the first entry of IMA's list: boot_aggregate, the digest over PCR 0 to 9, with the template
 * ima-ng or ima-sig. Linux 6.1, security/integrity/ima/ima_crypto.c (ima_calc_boot_aggregate_tfm,
 * ima_calc_field_array_hash): the digest is by the kernel's hash, SHA-256 unless configured otherwise, and a bank is
 * extended with its own hash of the entry. For a bank whose hash it has not loaded it pads SHA-1, which is not taken here.
 */
function isBootAggregateAlone(value: Uint8Array, bank: TpmHash, replay: Replay): boolean {
  const replayed = replay.banks.get('sha256');
  if (replayed === undefined || !isTpmHashAvailable(bank)) return false;
  const pcrs = Array.from({ length: BOOT_AGGREGATE_PCRS }, (_, pcr) => replayedPcr(replay, replayed, pcr));
  const digest = concatBytes(ascii('sha256:\0'), tpmDigest('sha256', concatBytes(...pcrs)));
  const fields = concatBytes(sized(digest), sized(ascii('boot_aggregate\0')));
  return TEMPLATE_TAILS.some((tail) => {
    const extended = concatBytes(new Uint8Array(tpmHashSize(bank)), tpmDigest(bank, concatBytes(fields, tail)));
    return bytesEqual(tpmDigest(bank, extended), value);
  });
}

/** A field of a template: its length in octets, 32 bits little-endian, then the field. ima_template_lib.c. */
function sized(field: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(field.length, 0, 0, 0), field);
}
