// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import type { GptTable } from '@vouchsafe/disk';
import type { Bank, BootCondition, PredictedBoot, PredictedEvent } from '@vouchsafe/manifest';
import type { PeFile } from '@vouchsafe/pe';
import { applicationEvent, type StartedProgram } from './application-event.ts';
import { predictBootVariables } from './boot-variables.ts';
import { MeasureError } from './error.ts';
import type { EspFolders } from './esp-folders.ts';
import { exitEvents, partitionTableEvent, predictBootAttempt, separator } from './firmware-events.ts';
import { configurationEvents } from './loader-events.ts';
import { DEFAULT_PHASES, parsePhasePath, predictPhases } from './phases.ts';
import type { SectionDigests } from './section-digests.ts';
import {
  databaseOf,
  type FirmwareVariable,
  firmwareAuthority,
  MeasuredAuthorities,
  policyEvents,
} from './secure-boot-events.ts';
import type { SectionChoice } from './selected-sections.ts';
import { shimAuthority, shimStateEvents } from './shim-events.ts';
import type { ShimFile } from './shim-file.ts';
import { stubOf, systemdBootOf } from './stub.ts';
import { type UkiStart, ukiEvents, unknownOfStub } from './uki-events.ts';

/** All that is booted. */
export interface BootArtefacts extends EspFolders {
  readonly uki: PeFile;
  /** systemd-boot, when it starts the UKI. */
  readonly loader?: PeFile;
  /** `/loader/loader.conf`, labelled with its path. */
  readonly loaderConf?: ByteSource;
  /** shim, when the firmware starts it first. */
  readonly shim?: ShimFile;
  /** Of the disk that is booted from; without it PCR 5 is not known. */
  readonly table?: GptTable;
  /** Of the machine's variable store; without them PCR 7, and with shim 14, are not known. */
  readonly variables?: readonly FirmwareVariable[];
}

/** What a machine or its owner decides. */
export interface BootCircumstances extends SectionChoice {
  readonly isSecureBootOn: boolean;
  /** Options of the boot entry, or typed there. */
  readonly commandLine?: string;
  /** Boot phase paths; the four of a usual boot unless given. */
  readonly phases?: readonly string[];
  /** Authenticode digests of the UKI that somebody else computes meanwhile; asked for as late as can be. */
  readonly ukiDigests?: () => ReadonlyMap<Bank, Uint8Array> | undefined;
  /** Of the UKI's sections in the same banks, where several boots of it are predicted. */
  readonly sectionDigests?: SectionDigests;
  /** PCRs that are wanted; all that can be known unless given. */
  readonly pcrs?: readonly number[];
}

/** A PCR that is not predicted, and why. */
export interface UnpredictedPcr {
  readonly pcr: number;
  /** 'machine': it depends on the machine. 'missing': on something that was not given. 'unknown': nobody has looked. */
  readonly why: 'machine' | 'missing' | 'unknown';
  readonly reason: string;
}

export interface BootPrediction extends PredictedBoot {
  readonly unpredicted: readonly UnpredictedPcr[];
}

/** PCRs that are the machine's, whatever boots on it. PFP 1.06, section 3.3.4. */
const OF_THE_MACHINE: readonly (readonly [pcr: number, reason: string])[] = [
  [0, "the firmware's code"],
  [1, "the firmware's configuration, boot entries and tables"],
  [2, 'code of devices'],
  [3, 'configuration of devices'],
  [6, "the manufacturer's own"],
  [10, 'what IMA measures as the system runs'],
  [15, 'machine identity and volume keys, which exist on the machine alone'],
];

/** PCRs that a boot of a UKI can be predicted in. */
const PREDICTABLE = [4, 5, 7, 9, 11, 12, 13, 14];

/**
 * The events of a whole boot up to the moment when the kernel has started, in the order of the log, with what follows phase
 * by phase. What cannot be known is not guessed: it is said for which PCR, and why. Of PCR 1 there are the boot entries,
 * where they are asked for and the variables have them, among other events of the firmware.
 * @throws {MeasureError} for a start that cannot be: 'not_started', 'profile_unknown', 'options_invalid',
 * 'command_line_invalid', 'kernel_unsuitable'; for a release that is not known: 'stub_unknown', 'loader_unknown'; for a
 * PCR that is asked for by number and cannot be known, 'machine_dependent' or one of the two.
 * @throws {PeError} @throws {TextError} @throws {DiskError}
 */
export function predictBoot(
  banks: readonly Bank[],
  artefacts: BootArtefacts,
  circumstances: BootCircumstances,
): BootPrediction {
  const { uki, variables = [] } = artefacts;
  const { isSecureBootOn, pcrs: wanted, phases = DEFAULT_PHASES } = circumstances;
  const unpredicted = unpredictedPcrs(artefacts, circumstances);
  const covers = PREDICTABLE.filter(
    (pcr) => (wanted?.includes(pcr) ?? true) && !unpredicted.some((entry) => entry.pcr === pcr),
  );
  const has = (pcr: number): boolean => covers.includes(pcr);
  const start: UkiStart = { ...circumstances, ...artefacts, pcrs: covers };
  const events = [
    ...(has(7) ? policyEvents(banks, isSecureBootOn, variables) : []),
    ...(wanted?.includes(1) === true ? predictBootVariables(banks, variables) : []),
    ...(has(4) ? predictBootAttempt(banks) : []),
    ...(has(5) ? [separator(banks, 5)] : []),
    ...ukiEvents(banks, uki, start, programStarter(banks, artefacts, circumstances, covers)),
    ...(has(5) ? exitEvents(banks) : []),
  ];
  const paths = new Set(has(11) ? phases.map((path) => parsePhasePath(path).join(':')) : []);
  return {
    condition: conditionOf(artefacts, circumstances),
    covers,
    events,
    phases: [...paths].filter((path) => path !== '').map((phase) => ({ phase, events: predictPhases(banks, phase) })),
    unpredicted,
  };
}

/** Firmware lets the first program start; where that is shim, shim lets the others. By what, PCR 7 tells. */
function programStarter(
  banks: readonly Bank[],
  { uki, shim, loader, loaderConf, table, variables = [] }: BootArtefacts,
  { isSecureBootOn, ukiDigests }: BootCircumstances,
  covers: readonly number[],
): StartedProgram {
  const measured = new MeasuredAuthorities(banks);
  const database = covers.includes(7) && isSecureBootOn ? databaseOf(variables) : undefined;
  const state = { isSecureBootOn, variables };
  let isFirst = true;
  return (program, description) => {
    const byShim = isFirst ? undefined : shim;
    const own = [
      ...(isFirst && shim !== undefined ? shimStateEvents(banks, shim, state) : []),
      ...(program === loader ? configurationEvents(banks, loader, loaderConf) : []),
    ];
    // Firmware measures the table when it loads something from the disk for the first time.
    const tableEvents = isFirst && covers.includes(5) && table !== undefined ? [partitionTableEvent(banks, table)] : [];
    isFirst = false;
    const authority = (): readonly PredictedEvent[] => {
      if (database === undefined) return [];
      if (byShim !== undefined) return shimAuthority(measured, byShim, program, state);
      return firmwareAuthority(measured, program, database);
    };
    return [
      ...authority(),
      ...tableEvents,
      ...(covers.includes(4)
        ? [applicationEvent(banks, program, description, undefined, program === uki ? ukiDigests?.() : undefined)]
        : []),
      ...own.filter(({ pcr }) => covers.includes(pcr)),
    ];
  };
}

function unpredictedPcrs(
  { uki, table, shim, variables }: BootArtefacts,
  { isSecureBootOn, pcrs }: BootCircumstances,
): UnpredictedPcr[] {
  const found: UnpredictedPcr[] = [
    ...OF_THE_MACHINE.map(([pcr, reason]) => ({ pcr, why: 'machine', reason }) as const),
    ...unknownOfStub(stubOf(uki), isSecureBootOn).map(({ pcr, reason }) => ({ pcr, why: 'unknown', reason }) as const),
  ];
  if (table === undefined)
    found.push({ pcr: 5, why: 'missing', reason: 'the partition table of the disk was not given' });
  if (variables === undefined) {
    const reason = "the variables of the machine's firmware were not given";
    found.push({ pcr: 7, why: 'missing', reason });
    if (shim !== undefined) found.push({ pcr: 14, why: 'missing', reason });
  }
  const asked = found.find(({ pcr, why }) => pcrs?.includes(pcr) === true && (pcr !== 1 || why !== 'machine'));
  if (asked !== undefined) {
    const message = `PCR ${asked.pcr} cannot be predicted: ${asked.reason}`;
    throw new MeasureError(asked.why === 'unknown' ? 'stub_unknown' : 'machine_dependent', message);
  }
  return found.toSorted((a, b) => a.pcr - b.pcr);
}

function conditionOf(
  { loader, shim }: BootArtefacts,
  { isSecureBootOn, profile = 0, commandLine }: BootCircumstances,
): BootCondition {
  return {
    secureBoot: isSecureBootOn ? 'on' : 'off',
    loader: loader === undefined ? 'none' : `systemd-boot ${systemdBootOf(loader).version}`,
    ...(shim === undefined ? {} : { shim: `shim ${shim.version}` }),
    profile,
    ...(commandLine === undefined ? {} : { commandLine }),
  };
}
