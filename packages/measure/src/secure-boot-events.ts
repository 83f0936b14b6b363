// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes, toHex } from '@vouchsafe/base';
import { encode, guid } from '@vouchsafe/codec';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import {
  allowingCertificate,
  allowingDigest,
  decodeSignatureLists,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  type EfiSignature,
  type EfiSignatureList,
  type FileDigests,
  type PeFile,
  type StoredVariable,
} from '@vouchsafe/pe';
import { MeasureError } from './error.ts';
import { separator, variableEvent } from './firmware-events.ts';

/** A variable of the firmware, as far as it is measured. */
export type FirmwareVariable = Pick<StoredVariable, 'name' | 'vendor' | 'data'>;

export interface SecureBootState {
  readonly isOn: boolean;
  readonly variables: readonly FirmwareVariable[];
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

/** PCR 7 before anything starts: whether Secure Boot is on, its variables (empty ones too), the separator. */
export function policyEvents(
  banks: readonly Bank[],
  isOn: boolean,
  variables: readonly FirmwareVariable[],
): PredictedEvent[] {
  const state = { name: 'SecureBoot', vendor: EFI_GLOBAL_VARIABLE, data: Uint8Array.of(isOn ? 1 : 0) };
  return [
    variableEvent(banks, state, `Secure Boot is ${isOn ? 'on' : 'off'}`),
    ...POLICY.map(([name, vendor]) => {
      const data = variableData(variables, name, vendor) ?? new Uint8Array(0);
      return variableEvent(banks, { name, vendor, data }, `the variable ${name}`);
    }),
    separator(banks, 7),
  ];
}

export function variableData(
  variables: readonly FirmwareVariable[],
  name: string,
  vendor: string,
): Uint8Array | undefined {
  return variables.find((variable) => variable.name === name && variable.vendor === vendor)?.data;
}

/**
 * PCR 7 of a boot whose images one certificate of db lets pass: `predictBoot` finds that certificate itself.
 * @throws {MeasureError} 'options_invalid'. @throws {PeError} for a db that is malformed.
 */
export function predictSecureBoot(banks: readonly Bank[], state: SecureBootState): PredictedEvent[] {
  const { isOn, variables, authority } = state;
  const events = policyEvents(banks, isOn, variables);
  if (!isOn || authority === undefined) return events;
  const entry = databaseOf(variables)
    .flatMap(({ signatures }) => signatures)
    .find(({ data }) => bytesEqual(data, authority));
  if (entry !== undefined) return [...events, authorityEvent(banks, entry, 'db', EFI_IMAGE_SECURITY_DATABASE)];
  const message = 'expected a certificate that db holds, found another; with it no image of this key would start';
  throw new MeasureError('options_invalid', message);
}

/** db as lists. @throws {PeError} */
export function databaseOf(variables: readonly FirmwareVariable[]): EfiSignatureList[] {
  return decodeSignatureLists(variableData(variables, 'db', EFI_IMAGE_SECURITY_DATABASE) ?? new Uint8Array(0), 'db');
}

/** EV_EFI_VARIABLE_AUTHORITY: the entry, EFI_SIGNATURE_DATA (owner, then the certificate), under the database's name. */
function authorityEvent(
  banks: readonly Bank[],
  { owner, data }: EfiSignature,
  name: string,
  vendor: string,
): PredictedEvent {
  const variable = { name, vendor, data: concatBytes(encode(guid, owner), data) };
  return variableEvent(banks, variable, `the entry of ${name} that lets a program start`, {
    artefact: `variable ${name}`,
  });
}

/** Measures each authority once, however many images it lets pass. EDK II, SecurityPkg, Measurement.c (IsDataMeasured). */
export class MeasuredAuthorities {
  readonly #banks: readonly Bank[];
  readonly #seen = new Set<string>();

  constructor(banks: readonly Bank[]) {
    this.#banks = banks;
  }

  eventOf(entry: EfiSignature, name: string, vendor: string): PredictedEvent[] {
    const key = `${name} ${entry.owner} ${toHex(entry.data)}`;
    if (this.#seen.has(key)) return [];
    this.#seen.add(key);
    return [authorityEvent(this.#banks, entry, name, vendor)];
  }
}

/**
 * What firmware with Secure Boot on measures because it starts the program.
 * @throws {MeasureError} 'not_started' when nothing in db lets it start. @throws {PeError}
 */
export function firmwareAuthority(
  measured: MeasuredAuthorities,
  program: PeFile,
  database: readonly EfiSignatureList[],
  digests?: FileDigests,
): PredictedEvent[] {
  const entry = allowingCertificate(program, database, digests) ?? allowingDigest(program, database);
  if (entry !== undefined) return measured.eventOf(entry, 'db', EFI_IMAGE_SECURITY_DATABASE);
  const message = `${program.source.label}: expected a signature by a certificate of db, or its digest there, found neither; with Secure Boot on this firmware does not start it`;
  throw new MeasureError('not_started', message);
}
