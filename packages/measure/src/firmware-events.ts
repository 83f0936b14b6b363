// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, concatBytes } from '@vouchsafe/base';
import { encode, guid, rest, u64le, utf16le } from '@vouchsafe/codec';
import { encodeGpt, type GptTable } from '@vouchsafe/disk';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import {
  decodeSignatureLists,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  type StoredVariable,
} from '@vouchsafe/pe';
import { digestsOf } from './digests.ts';
import { MeasureError } from './error.ts';

/** TCG PC Client Platform Firmware Profile 1.06, section 10.4.1, EV_SEPARATOR: four zero octets end the pre-boot part. */
function separator(banks: readonly Bank[], pcr: number): PredictedEvent {
  return {
    pcr,
    description: 'separator: the firmware hands over',
    origin: { artefact: 'firmware' },
    digests: digestsOf(banks, new Uint8Array(4)),
  };
}

function action(banks: readonly Bank[], pcr: number, text: string): PredictedEvent {
  return {
    pcr,
    description: `action '${text}'`,
    origin: { artefact: 'firmware' },
    digests: digestsOf(banks, ascii(text)),
  };
}

/** What the firmware puts into PCR 4 before it starts the first program. PFP 1.06, section 3.3.4.5. */
export function predictBootAttempt(banks: readonly Bank[]): PredictedEvent[] {
  return [action(banks, 4, 'Calling EFI Application from Boot Option'), separator(banks, 4)];
}

/** UEFI_VARIABLE_DATA. PFP 1.06, section 10.2.6: GUID, length of name in characters, length of data, name without NUL, data. */
function variableData(vendor: string, name: string, data: Uint8Array): Uint8Array {
  return concatBytes(
    encode(guid, vendor),
    encode(u64le, BigInt(name.length)),
    encode(u64le, BigInt(data.length)),
    encode(utf16le(rest), name),
    data,
  );
}

export interface SecureBootState {
  readonly isOn: boolean;
  readonly variables: readonly Pick<StoredVariable, 'name' | 'vendor' | 'data'>[];
  /** Of the certificate in db that the started images are signed by; absent when Secure Boot is off. */
  readonly authority?: Uint8Array;
}

/** The variables of the policy, in the order in which firmware measures them. PFP 1.06, section 3.3.4.8. */
const POLICY: readonly [name: string, vendor: string][] = [
  ['PK', EFI_GLOBAL_VARIABLE],
  ['KEK', EFI_GLOBAL_VARIABLE],
  ['db', EFI_IMAGE_SECURITY_DATABASE],
  ['dbx', EFI_IMAGE_SECURITY_DATABASE],
];

/**
 * PCR 7: the state of Secure Boot, its variables (empty ones too), the separator, and the entry of db that let the image pass,
 * once however many images it lets pass.
 * @throws {MeasureError} 'options_invalid'. @throws {PeError} for a db that is malformed.
 */
export function predictSecureBoot(banks: readonly Bank[], state: SecureBootState): PredictedEvent[] {
  const variable = (name: string, vendor: string, data: Uint8Array, description: string): PredictedEvent => ({
    pcr: 7,
    description,
    origin: { artefact: `variable ${name}` },
    digests: digestsOf(banks, variableData(vendor, name, data)),
  });
  const dataOf = (name: string, vendor: string): Uint8Array =>
    state.variables.find((v) => v.name === name && v.vendor === vendor)?.data ?? new Uint8Array(0);
  const events = [
    variable(
      'SecureBoot',
      EFI_GLOBAL_VARIABLE,
      Uint8Array.of(state.isOn ? 1 : 0),
      `Secure Boot is ${state.isOn ? 'on' : 'off'}`,
    ),
    ...POLICY.map(([name, vendor]) => variable(name, vendor, dataOf(name, vendor), `the variable ${name}`)),
    separator(banks, 7),
  ];
  if (state.isOn && state.authority !== undefined) {
    const entry = authorityEntry(dataOf('db', EFI_IMAGE_SECURITY_DATABASE), state.authority);
    events.push(variable('db', EFI_IMAGE_SECURITY_DATABASE, entry, 'the entry of db that the image is signed by'));
  }
  return events;
}

/** EFI_SIGNATURE_DATA of the certificate: owner, then the certificate. */
function authorityEntry(db: Uint8Array, certificate: Uint8Array): Uint8Array {
  for (const list of decodeSignatureLists(db)) {
    for (const { owner, data } of list.signatures) {
      if (bytesEqual(data, certificate)) {
        return concatBytes(encode(guid, owner), data);
      }
    }
  }
  const message = 'expected a certificate that db holds, found another; with it no image of this key would start';
  throw new MeasureError('options_invalid', message);
}

/** PCR 5: the table of the disk that is booted from, and the end of boot services. PFP 1.06, sections 3.3.4.6 and 10.2.10. */
export function predictPartitionTable(banks: readonly Bank[], table: GptTable): PredictedEvent[] {
  const { primary } = encodeGpt(table);
  const header = primary.subarray(table.sectorSize, table.sectorSize + 92);
  const entries = table.partitions.map(({ index }) => {
    const at = 2 * table.sectorSize + 128 * index;
    return primary.subarray(at, at + 128);
  });
  const event = concatBytes(header, encode(u64le, BigInt(entries.length)), ...entries);
  return [
    separator(banks, 5),
    {
      pcr: 5,
      description: 'the partition table of the disk',
      origin: { artefact: 'GPT' },
      digests: digestsOf(banks, event),
    },
    action(banks, 5, 'Exit Boot Services Invocation'),
    action(banks, 5, 'Exit Boot Services Returned with Success'),
  ];
}
