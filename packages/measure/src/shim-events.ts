// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import {
  allowingCertificate,
  allowingDigest,
  decodeSignatureLists,
  EFI_IMAGE_SECURITY_DATABASE,
  encodeSignatureLists,
  type FileDigests,
  type PeFile,
} from '@vouchsafe/pe';
import { MeasureError } from './error.ts';
import { eventOf } from './event.ts';
import { variableEvent } from './firmware-events.ts';
import { databaseOf, type FirmwareVariable, type MeasuredAuthorities, variableData } from './secure-boot-events.ts';
import { mirrored, SHIM_LOCK, type ShimFile } from './shim-file.ts';

/** What decides what shim measures, beside its file. */
export interface ShimState {
  readonly isSecureBootOn: boolean;
  readonly variables: readonly FirmwareVariable[];
}

/** Variables that make shim do something else than start the next program. shim 16.1, mok.c (check_mok_request). */
const REQUESTS = [
  ...['MokNew', 'MokSB', 'MokPW', 'MokAuth', 'MokDel', 'MokDB'],
  ...['MokXNew', 'MokXDel', 'MokXAuth', 'MokListTrustedNew', 'SbatPolicy'],
];

/** SBAT_VAR_ORIGINAL. shim 16.1, include/sbat_var_defs.h. */
const ORIGINAL_SBAT_LEVEL = ascii('sbat,1,2021030218\n');

/**
 * What shim measures before it starts anything: the owner's keys into PCR 14, and into PCR 7 what of its state decides
 * what starts. shim 16.1, mok.c (mok_state_variable_data, mirror_one_mok_variable).
 * @throws {MeasureError} 'machine_dependent' when the machine waits for its owner's answer to a request.
 */
export function shimStateEvents(banks: readonly Bank[], shim: ShimFile, state: ShimState): PredictedEvent[] {
  const { variables } = state;
  const stored = (name: string): Uint8Array | undefined => variableData(variables, name, SHIM_LOCK);
  const request = REQUESTS.find((name) => stored(name) !== undefined);
  if (request !== undefined) {
    const message = `expected no request to shim in the variables, found ${request}; what it starts depends on the answer given at the machine`;
    throw new MeasureError('machine_dependent', message);
  }
  const log = (name: string, octets: Uint8Array): PredictedEvent =>
    eventOf(
      banks,
      { pcr: 14, description: `${name}, as shim uses it`, origin: { artefact: `variable ${name}` } },
      octets,
    );
  const measured = (name: string, data: Uint8Array): PredictedEvent =>
    variableEvent(banks, { name, vendor: SHIM_LOCK, data }, `${name}, as shim uses it`);
  const list = (builtIn: Uint8Array, name: string): PredictedEvent => {
    const octets = mirrored(builtIn, stored(name));
    return log(name, octets.length === 0 ? NO_KEY : octets);
  };
  const mokSbState = stored('MokSBState');
  const policy = stored('MokPolicy');
  return [
    list(shim.vendorAuthorized, 'MokList'),
    list(shim.vendorDenied, 'MokListX'),
    ...(mokSbState === undefined ? [] : [measured('MokSBState', mokSbState), log('MokSBState', mokSbState)]),
    measured('SbatLevel', sbatLevel(shim, state)),
    // Trusted unless the owner has said otherwise.
    ...(stored('MokListTrusted') === undefined ? [log('MokListTrusted', Uint8Array.of(1))] : []),
    ...(policy === undefined ? [] : [log('MokPolicy', policy)]),
  ];
}

/** A list is never empty: it has the digest of nothing then. shim 16.1, mok.c (null_sha256), an array of zeros. */
const NO_KEY = encodeSignatureLists([{ type: 'sha256', signatures: [{ owner: SHIM_LOCK, data: new Uint8Array(32) }] }]);

/** shim 16.1, sbat.c (set_sbat_uefi_variable, preserve_sbat_uefi_variable): what is stored stays unless it is older. */
function sbatLevel(shim: ShimFile, { isSecureBootOn, variables }: ShimState): Uint8Array {
  if (!isSecureBootOn) return ORIGINAL_SBAT_LEVEL;
  const stored = variableData(variables, 'SbatLevel', SHIM_LOCK);
  if (stored === undefined) return shim.sbatLevel;
  const [old, own] = [dateOf(stored), dateOf(shim.sbatLevel)];
  if (old === undefined || own === undefined) {
    throw new MeasureError(
      'machine_dependent',
      'expected SBAT levels of version 1, found others; what shim keeps is not known',
    );
  }
  return old >= own ? stored : shim.sbatLevel;
}

function dateOf(level: Uint8Array): string | undefined {
  return /^sbat,1,(\d{10})(\n|$)/.exec(String.fromCharCode(...level.subarray(0, 32)))?.[1];
}

/**
 * What shim measures into PCR 7 because it starts the program, with Secure Boot on: the entry of db that lets it, else of
 * MokListRT, which is shim's own keys and then the owner's; digests go before certificates. shim 16.1, verify.c
 * (verify_buffer_authenticode, check_allowlist).
 * @throws {MeasureError} 'not_started'. @throws {PeError}
 */
export function shimAuthority(
  measured: MeasuredAuthorities,
  shim: ShimFile,
  program: PeFile,
  { variables }: ShimState,
): PredictedEvent[] {
  const mokList = mirrored(shim.vendorAuthorized, variableData(variables, 'MokList', SHIM_LOCK));
  const databases = [
    { name: 'db', vendor: EFI_IMAGE_SECURITY_DATABASE, lists: databaseOf(variables) },
    { name: 'MokListRT', vendor: SHIM_LOCK, lists: decodeSignatureLists(mokList, 'MokList') },
  ];
  const digests: FileDigests = new Map();
  for (const find of [allowingDigest, allowingCertificate]) {
    for (const { name, vendor, lists } of databases) {
      const entry = find(program, lists, digests);
      if (entry !== undefined) return measured.eventOf(entry, name, vendor);
    }
  }
  const message = `${program.source.label}: expected a signature by a key of db, shim or MokList, found none; shim does not start it`;
  throw new MeasureError('not_started', message);
}
