// SPDX-License-Identifier: Apache-2.0
import type { Finding, FindingPlace } from '@vouchsafe/base';

export type GptFindingCode =
  | 'mbr_missing' // no master boot record in the first sector
  | 'mbr_not_protective' // a master boot record that lets old tools see something else than a GPT
  | 'mbr_size' // the protective record does not cover the disk
  | 'header_missing' // no GPT header where one belongs
  | 'header_invalid' // a header with a field that the format does not allow
  | 'header_crc' // a header that was changed after its checksum was made
  | 'header_place' // a header that says it is somewhere else
  | 'header_reserved' // reserved octets that are not zero
  | 'entries_range' // the entries do not lie where they may
  | 'entries_limit' // more entries than are read
  | 'entries_crc' // entries that were changed after their checksum was made
  | 'backup_place' // the backup is not in the last block
  | 'backup_differs' // the two copies say different things
  | 'usable_range' // the usable blocks are not between the two copies
  | 'partition_size' // a partition that ends before it begins
  | 'partition_range' // a partition outside the usable blocks
  | 'partition_overlap' // two partitions share blocks
  | 'uuid_duplicate' // two partitions with one UUID
  | 'label_invalid' // a label with something behind its end
  | 'attribute_unknown'; // attribute bits that UEFI reserves

export type GptFinding = Finding<GptFindingCode>;

/** Which copy of the table. */
export type GptCopy = 'primary' | 'backup';

const REPAIR = 'restore the table from the image, or repair it with a partitioning tool and compare the result';

/** What each fault means; the severity is that of the worst that can follow. */
const MEANINGS: Readonly<Record<GptFindingCode, readonly ['error' | 'warning', string]>> = {
  mbr_missing: ['warning', 'firmware may not take this disk for a GPT disk; write the image again'],
  mbr_not_protective: [
    'warning',
    'old tools see other partitions than new ones; make the master boot record protective',
  ],
  mbr_size: ['warning', 'the disk has grown or shrunk since it was partitioned; move the backup to its end'],
  header_missing: ['error', `one of the two copies is gone; ${REPAIR}`],
  header_invalid: ['error', REPAIR],
  header_crc: ['error', `the header is damaged or was changed by hand; ${REPAIR}`],
  header_place: ['error', `the header was copied from another place; ${REPAIR}`],
  header_reserved: ['warning', 'a tool newer than this one may have put something there; look before you trust it'],
  entries_range: ['error', REPAIR],
  entries_limit: ['error', 'no tool makes so many entries; the header is damaged or made to exhaust memory'],
  entries_crc: ['error', `the entries are damaged or were changed by hand; ${REPAIR}`],
  backup_place: ['warning', 'the disk has grown since it was partitioned; move the backup to its end'],
  backup_differs: ['error', `firmware and tools may choose either copy; ${REPAIR}`],
  usable_range: ['error', `a partition could overwrite the table; ${REPAIR}`],
  partition_size: ['error', REPAIR],
  partition_range: ['error', `the partition overlaps the table or leaves the disk; ${REPAIR}`],
  partition_overlap: ['error', `writing to one partition changes the other; ${REPAIR}`],
  uuid_duplicate: ['error', 'the system may take either partition; give one of them a new UUID'],
  label_invalid: ['warning', 'tools may show different labels; write the label again'],
  attribute_unknown: ['warning', 'bits 3 to 47 are reserved; clear them'],
};

/** A finding with what its code means. */
export function gptFinding(
  code: GptFindingCode,
  where: FindingPlace,
  values: { readonly expected?: string; readonly actual?: string } = {},
): GptFinding {
  const [severity, hint] = MEANINGS[code];
  return { code, severity, where, ...values, hint };
}
