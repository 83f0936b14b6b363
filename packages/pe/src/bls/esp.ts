// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { PeError } from '../error.ts';
import type { Machine } from '../format/coff-header.ts';
import { ENROLMENT_VARIABLES } from './enrolment.ts';

/** Machine names in file names of removable media. UEFI 2.10, 3.5.1.1. */
const MACHINE_NAMES = new Map<Machine, string>([
  ['ia32', 'ia32'],
  ['x64', 'x64'],
  ['arm', 'arm'],
  ['armnt', 'arm'],
  ['arm64', 'aa64'],
  ['riscv64', 'riscv64'],
  ['loongarch64', 'loongarch64'],
]);

/** The short name that UEFI, systemd and boot entries use: 'x64', 'aa64'. */
function machineNameOf(machine: Machine): string {
  const name = MACHINE_NAMES.get(machine);
  if (name !== undefined) return name;
  throw new PeError('options_invalid', `expected a machine that UEFI boots on, found ${machine}`);
}

/**
 * What firmware starts when it has no boot entry: /EFI/BOOT/BOOTX64.EFI. UEFI 2.10, 3.5.1.1.
 * @throws {PeError} 'options_invalid'.
 */
export function fallbackLoaderPath(machine: Machine): string {
  return `/EFI/BOOT/BOOT${machineNameOf(machine).toUpperCase()}.EFI`;
}

/**
 * Where bootctl puts systemd-boot itself. systemd, bootctl(1).
 * @throws {PeError} 'options_invalid'.
 */
export function systemdBootPath(machine: Machine): string {
  return `/EFI/systemd/systemd-boot${machineNameOf(machine)}.efi`;
}

/** Where systemd-boot looks. UAPI.1 Boot Loader Specification, "The Boot Loader Entry Files"; systemd-boot(7). */
export const ESP_PATH = {
  images: '/EFI/Linux',
  loaderConf: '/loader/loader.conf',
  entries: '/loader/entries',
  entriesType: '/loader/entries.srel',
  randomSeed: '/loader/random-seed',
  addons: '/loader/addons',
  credentials: '/loader/credentials',
  keys: '/loader/keys',
} as const;

/** Content of /loader/entries.srel: entries are type #1, so that kernel-install writes such ones. UAPI.1. */
export const ENTRIES_TYPE = 'type1\n';

export type EspFindingCode =
  | 'loader_missing' // nothing that firmware starts by itself
  | 'entries_missing' // nothing that the boot loader could start
  | 'entries_type_missing' // no entries.srel beside entries
  | 'keys_incomplete'; // a folder of keys that cannot be enrolled

/**
 * Whether an EFI system partition has what systemd-boot needs.
 * @param paths of its files, from its root; letters of either case, as on VFAT.
 * @param artefact what to call the partition.
 * @throws {PeError} 'options_invalid' for a machine that UEFI does not boot on.
 */
export function checkEsp(paths: readonly string[], machine: Machine, artefact = 'ESP'): Finding<EspFindingCode>[] {
  const files = new Set(paths.map((path) => path.toLowerCase()));
  const findings: Finding<EspFindingCode>[] = [];
  const loader = fallbackLoaderPath(machine);
  const within = (folder: string, suffix: string): boolean =>
    [...files].some((path) => path.startsWith(`${folder.toLowerCase()}/`) && path.endsWith(suffix));
  if (!files.has(loader.toLowerCase())) {
    const hint = 'firmware without a boot entry of its own, as after moving the disk, does not boot it';
    const where = { artefact, path: loader };
    // A machine that has booted once may have an entry for it.
    const severity = files.has(systemdBootPath(machine).toLowerCase()) ? 'warning' : 'error';
    findings.push({ code: 'loader_missing', severity, where, expected: loader, actual: 'none', hint });
  }
  const hasEntries = within(ESP_PATH.entries, '.conf');
  if (!hasEntries && !within(ESP_PATH.images, '.efi')) {
    const expected = `${ESP_PATH.images}/*.efi or ${ESP_PATH.entries}/*.conf`;
    const hint = 'systemd-boot has nothing to start; put a unified kernel image there';
    findings.push({ code: 'entries_missing', severity: 'error', where: { artefact }, expected, actual: 'none', hint });
  }
  if (hasEntries && !files.has(ESP_PATH.entriesType)) {
    const hint = `kernel-install may write entries of another kind; write '${ENTRIES_TYPE.trim()}' into it`;
    const where = { artefact, path: ESP_PATH.entriesType };
    findings.push({ code: 'entries_type_missing', severity: 'warning', where, expected: ESP_PATH.entriesType, hint });
  }
  return [...findings, ...checkKeys(files, artefact)];
}

function checkKeys(files: ReadonlySet<string>, artefact: string): Finding<EspFindingCode>[] {
  const prefix = `${ESP_PATH.keys}/`;
  const names = new Set(
    [...files].flatMap((path) => {
      const [name = '', ...file] = path.startsWith(prefix) ? path.slice(prefix.length).split('/') : [];
      return file.length === 0 ? [] : [name];
    }),
  );
  return [...names].flatMap((name): Finding<EspFindingCode>[] => {
    const missing = ENROLMENT_VARIABLES.filter(({ isRequired }) => isRequired)
      .map((variable) => `${prefix}${name}/${variable.name}.auth`)
      .filter((path) => !files.has(path.toLowerCase()));
    if (missing.length === 0) return [];
    const hint = 'systemd-boot does not offer these keys; put PK.auth, KEK.auth and db.auth there';
    const where = { artefact, path: `${prefix}${name}` };
    return [
      { code: 'keys_incomplete', severity: 'warning', where, expected: missing.join(', '), actual: 'none', hint },
    ];
  });
}
