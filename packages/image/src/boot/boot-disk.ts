// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { commonPartitionType, type GptTable, requireGpt } from '@vouchsafe/disk';
import { type BootArtefacts, isShim, isSystemdBoot, isUki, openShim } from '@vouchsafe/measure';
import { ESP_PATH, extraFolderOf, openPe, type PeFile } from '@vouchsafe/pe';
import { ImageError } from '../error.ts';
import { type ChosenEntry, chooseEntry } from './choose-entry.ts';
import { type EspFiles, openEsp } from './esp-files.ts';

/** What a disk boots, as firmware without a boot entry of its own finds it. */
export interface BootDisk {
  /** For a prediction; without the variables, which are the machine's. */
  readonly artefacts: BootArtefacts & { readonly table: GptTable };
  /** What the boot entry passes on. */
  readonly entry: ChosenEntry;
}

export interface BootDiskOptions {
  /** The boot entry, where there are several. */
  readonly entry?: string;
  /** Octets of a block, where the disk does not say. */
  readonly sectorSize?: GptTable['sectorSize'];
}

/** Architectures whose names firmware has for what it starts by itself. UEFI 2.10, section 3.5.1.1. */
const ARCHITECTURES = ['x64', 'aa64', 'ia32', 'arm', 'riscv64', 'loongarch64'];

/**
 * Follows a disk from what firmware starts by itself (/EFI/BOOT/BOOTX64.EFI and its like) by way of shim and systemd-boot
 * to the UKI, with all that the stub picks up around it.
 * @throws {ImageError} 'boot_unknown' for what is started in a way that is not known, 'entry_ambiguous'.
 * @throws {MeasureError} @throws {DiskError} @throws {PeError} @throws {BytesError}
 */
export function openBootDisk(disk: ByteSource, options: BootDiskOptions = {}): BootDisk {
  const table = requireGpt(disk, options.sectorSize);
  if (table.partitions.some(({ typeUuid }) => typeUuid === commonPartitionType('xbootldr'))) {
    const message = `${disk.label}: expected boot entries on the EFI system partition alone, found an XBOOTLDR partition; it is not looked at yet`;
    throw new ImageError('boot_unknown', message);
  }
  const esp = openEsp(disk, table);
  const { path, architecture } = startedByFirmware(disk, esp);
  let program = requireProgram(esp, path);
  const shim = isShim(program) ? openShim(program) : undefined;
  if (shim !== undefined) {
    refuseShimAddons(esp);
    // shim 16.1, Make.defaults (DEFAULT_LOADER).
    program = requireProgram(esp, `/EFI/BOOT/grub${architecture}.efi`);
  }
  const loader = isSystemdBoot(program) ? program : undefined;
  const entry: ChosenEntry = loader === undefined ? { path: program.source.label } : chooseEntry(esp, options.entry);
  const uki = loader === undefined ? program : requireProgram(esp, entry.path);
  if (!isUki(uki)) {
    const message = `${uki.source.label}: expected a unified kernel image with systemd's stub, or systemd-boot, found another program`;
    throw new ImageError('boot_unknown', message);
  }
  const loaderConf = loader === undefined ? undefined : esp.open(ESP_PATH.loaderConf);
  return {
    entry,
    artefacts: {
      uki,
      table,
      ...(shim === undefined ? {} : { shim }),
      ...(loader === undefined ? {} : { loader }),
      ...(loaderConf === undefined ? {} : { loaderConf }),
      companions: companionsOf(esp, uki.source.label),
      loaderAddons: esp.folder(ESP_PATH.addons),
      loaderCredentials: esp.folder(ESP_PATH.credentials),
    },
  };
}

function startedByFirmware(disk: ByteSource, esp: EspFiles): { readonly path: string; readonly architecture: string } {
  const found = ARCHITECTURES.filter((name) => esp.open(`/EFI/BOOT/BOOT${name}.EFI`) !== undefined);
  const [architecture] = found;
  if (architecture === undefined || found.length > 1) {
    const message = `${disk.label}: expected one of /EFI/BOOT/BOOT${ARCHITECTURES.join('|').toUpperCase()}.EFI, found ${found.length === 0 ? 'none' : found.join(', ')}`;
    throw new ImageError('boot_unknown', message);
  }
  return { path: `/EFI/BOOT/BOOT${architecture.toUpperCase()}.EFI`, architecture };
}

function requireProgram(esp: EspFiles, path: string): PeFile {
  const source = esp.open(path);
  if (source !== undefined) return openPe(source);
  throw new ImageError('boot_unknown', `expected the program ${path} on the EFI system partition, found none`);
}

/** Keys and revocations in files beside shim. shim 16.1, shim.c (load_unbundled_trust). */
function refuseShimAddons(esp: EspFiles): void {
  const found = esp.folder('/EFI/BOOT').find(({ name }) => /^(shim_certificate|revocations).*\.efi$/i.test(name));
  if (found === undefined) return;
  const message = `${found.content.label}: expected no keys or revocations beside shim, found some; what it measures of them is not known`;
  throw new ImageError('boot_unknown', message);
}

/** systemd-stub(7): the folder beside the UKI, named without the boot counter. */
function companionsOf(esp: EspFiles, path: string): ReturnType<EspFiles['folder']> {
  const slash = path.lastIndexOf('/');
  return esp.folder(`${path.slice(0, slash)}/${extraFolderOf(path.slice(slash + 1))}`);
}
