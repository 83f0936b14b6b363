// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode, guid, rest, u64le, utf16le } from '@vouchsafe/codec';
import { encodeGpt, type GptTable } from '@vouchsafe/disk';
import type { Bank, EventOrigin, PredictedEvent } from '@vouchsafe/manifest';
import { digestsOf } from './digests.ts';

const FIRMWARE: EventOrigin = { artefact: 'firmware' };

/** TCG PC Client Platform Firmware Profile 1.06, section 10.4.1, EV_SEPARATOR: four zero octets end the pre-boot part. */
export function separator(banks: readonly Bank[], pcr: number): PredictedEvent {
  const description = 'separator: the firmware hands over';
  return { pcr, description, origin: FIRMWARE, digests: digestsOf(banks, new Uint8Array(4)) };
}

/** EV_EFI_ACTION: the text without a NUL. PFP 1.06, section 10.4.3. */
function action(banks: readonly Bank[], pcr: number, text: string): PredictedEvent {
  return { pcr, description: `action '${text}'`, origin: FIRMWARE, digests: digestsOf(banks, ascii(text)) };
}

/**
 * A variable as firmware measures it: UEFI_VARIABLE_DATA, PFP 1.06, section 10.2.6: GUID, length of name in characters,
 * length of data, name without NUL, data.
 */
export function variableEvent(
  banks: readonly Bank[],
  variable: { readonly name: string; readonly vendor: string; readonly data: Uint8Array },
  description: string,
  origin: EventOrigin = { artefact: `variable ${variable.name}` },
): PredictedEvent {
  const { name, vendor, data } = variable;
  const octets = concatBytes(
    encode(guid, vendor),
    encode(u64le, BigInt(name.length)),
    encode(u64le, BigInt(data.length)),
    encode(utf16le(rest), name),
    data,
  );
  return { pcr: 7, description, origin, digests: digestsOf(banks, octets) };
}

/** What the firmware puts into PCR 4 before it starts the first program. PFP 1.06, section 3.3.4.5. */
export function predictBootAttempt(banks: readonly Bank[]): PredictedEvent[] {
  return [action(banks, 4, 'Calling EFI Application from Boot Option'), separator(banks, 4)];
}

/** EV_EFI_GPT_EVENT: header and used entries of the disk that is booted from. PFP 1.06, section 10.2.4. */
export function partitionTableEvent(banks: readonly Bank[], table: GptTable): PredictedEvent {
  const { primary } = encodeGpt(table);
  const header = primary.subarray(table.sectorSize, table.sectorSize + 92);
  const entries = table.partitions.map(({ index }) => {
    const at = 2 * table.sectorSize + 128 * index;
    return primary.subarray(at, at + 128);
  });
  const octets = concatBytes(header, encode(u64le, BigInt(entries.length)), ...entries);
  return {
    pcr: 5,
    description: 'the partition table of the disk',
    origin: { artefact: 'GPT', offset: table.sectorSize },
    digests: digestsOf(banks, octets),
  };
}

/** The end of boot services. PFP 1.06, section 10.4.3. */
export function exitEvents(banks: readonly Bank[]): PredictedEvent[] {
  return [
    action(banks, 5, 'Exit Boot Services Invocation'),
    action(banks, 5, 'Exit Boot Services Returned with Success'),
  ];
}

/** PCR 5 where no boot loader adds to it: the table of the disk, and the end of boot services. PFP 1.06, section 3.3.4.6. */
export function predictPartitionTable(banks: readonly Bank[], table: GptTable): PredictedEvent[] {
  return [separator(banks, 5), partitionTableEvent(banks, table), ...exitEvents(banks)];
}
