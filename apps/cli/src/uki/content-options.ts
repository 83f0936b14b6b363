// SPDX-License-Identifier: Apache-2.0
// What goes into an image or addon, by ukify's names (systemd 257, ukify(1)).
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { collect } from '../parse.ts';

/** A section of the caller's own: its name, and a text or @ and a file. */
interface SectionOption {
  readonly name: string;
  readonly content: string;
}

/** Options that images and addons share. */
export interface AddonOptions {
  readonly initrd?: readonly string[];
  readonly microcode?: string;
  readonly cmdline?: string;
  readonly uname?: string;
  readonly devicetree?: string;
  readonly devicetreeAuto?: readonly string[];
  readonly hwids?: string;
  readonly efifw?: readonly string[];
  readonly sbat?: readonly string[];
  readonly profile?: string;
  readonly section?: readonly SectionOption[];
  readonly stub?: string;
  readonly efiArch?: EfiArch;
}

export interface ContentOptions extends AddonOptions {
  readonly linux?: string;
  readonly osRelease?: string;
  readonly splash?: string;
  readonly pcrpkey?: string;
  readonly joinProfile?: readonly string[];
  readonly signKernel?: true;
}

/** Architectures as UEFI's file names have them (UEFI 2.10, 3.5.1.1). */
const EFI_ARCHES = ['x64', 'aa64', 'ia32', 'arm', 'riscv64', 'loongarch64'] as const;
export type EfiArch = (typeof EFI_ARCHES)[number];

export function isEfiArch(text: string): text is EfiArch {
  return (EFI_ARCHES as readonly string[]).includes(text);
}

function sectionOption(text: string, earlier?: readonly SectionOption[]): readonly SectionOption[] {
  const [, name, content] = /^([^:]+):([\s\S]+)$/.exec(text) ?? [];
  if (name === undefined || content === undefined) throw new InvalidArgumentError('Expected NAME:TEXT or NAME:@FILE.');
  return collect({ name, content }, earlier);
}

export function addAddonOptions(command: Command): Command {
  return command
    .option('--initrd <file>', 'initrd; may be repeated, the kernel unpacks them in this order', collect<string>)
    .option('--microcode <file>', 'microcode, as a cpio archive that is not compressed')
    .option('--cmdline <text>', 'kernel command line, or @ and the name of a file')
    .option('--uname <version>', "the kernel's version (default: what an x86 kernel says)")
    .option('--devicetree <file>', 'device tree')
    .option('--devicetree-auto <file>', 'device tree for the hardware that it names; may be repeated', collect<string>)
    .option('--hwids <folder>', 'descriptions in JSON of the hardware that device trees and firmware are for')
    .option('--efifw <folder>', 'firmware: a file in a folder of its ID; may be repeated', collect<string>)
    .option('--sbat <text>', 'SBAT to add, or @ and the name of a file; may be repeated', collect<string>)
    .option('--profile <text>', 'what the profile is, or @ and the name of a file')
    .option(
      '--section <name:text>',
      'a further section, text or @ and the name of a file; may be repeated',
      sectionOption,
    )
    .option('--stub <file>', "systemd's stub (default: this system's)")
    .addOption(new Option('--efi-arch <arch>', "architecture (default: this machine's)").choices(EFI_ARCHES));
}

export function addContentOptions(command: Command): Command {
  command
    .option('--linux <file>', 'kernel')
    .option('--sign-kernel', 'sign the kernel too, for firmware that checks it by itself')
    .option('--os-release <text>', 'os-release, or @ and the name of a file')
    .option('--splash <file>', 'picture to show, BMP')
    .option('--pcrpkey <file>', 'public key in PEM of who signs PCR policies')
    .option('--join-profile <file>', 'image with a further profile; may be repeated', collect<string>);
  return addAddonOptions(command);
}
