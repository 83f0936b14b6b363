// SPDX-License-Identifier: Apache-2.0
import { TAMPER_CASE_NAMES, type TamperCaseName } from '@vouchsafe/lab/boot';
import type { Command } from '../arguments/command.ts';
import { Option } from '../arguments/option.ts';
import { collect, wholeNumber } from '../parse.ts';

export interface BootOptions {
  readonly tamper?: readonly (TamperCaseName | 'help')[];
  readonly older?: string;
  readonly manifest?: readonly string[];
  readonly key?: readonly string[];
  readonly keys?: string;
  readonly vars?: string;
  readonly secureBoot?: 'on' | 'off';
  readonly tpm: string;
  readonly tis?: true;
  readonly crb?: true;
  readonly memory: number;
  readonly processors: number;
  readonly accelerator: 'auto' | 'tcg' | 'kvm';
  readonly network?: true;
  readonly keepWrites?: true;
  readonly until?: string;
  readonly timeout: number;
  readonly results?: string;
  readonly force?: true;
  readonly serial?: true;
}

const HELP = `
Without --until a boot has succeeded when the guest has reported: a cpio archive on the virtio port vouchsafe.results. With
--manifest its log is laid beside the manifest, and the time to the end of boot beside its budget (budgets.boot in the
recipe). The exit status is 0 when it booted as it should, or was tampered with and fared as expected; 1 when not. Needs QEMU, OVMF and swtpm; nothing else on this machine is touched. Most often:
  vouchsafe lab boot edge_0.1.0.raw --keys keys --manifest edge_0.1.0.manifest.json --key keys/manifest.pub

Example:
  vouchsafe lab boot --tamper help`;

/** What `lab boot` is called with. */
export function defineBootOptions(command: Command): Command {
  return command
    .description(
      'Boots a disk image on a virtual machine with firmware (OVMF) and a TPM (swtpm) of its own, and says how that ended. The image is not changed.',
    )
    .argument('[DISK]', 'disk image, as image build makes it')
    .addOption(
      new Option('--tamper <case>', "boot a copy that was tampered with; 'help' lists the cases; may be repeated")
        .choices([...TAMPER_CASE_NAMES, 'help'])
        .argParser(collect<string>),
    )
    .option('--older <disk>', 'disk of an earlier version, for the case rollback')
    .option(
      '--manifest <file>',
      "the image's manifest, then those of others that it may be taken for; may be repeated",
      collect<string>,
    )
    .option('--key <file>', 'public key that manifests must be signed by; may be repeated', collect<string>)
    .option('--keys <dir>', 'folder of keys generate: the machine has these enrolled')
    .addOption(
      new Option('--vars <file>', 'variable store of the machine; a copy is used')
        .conflicts('keys')
        .conflicts('secureBoot'),
    )
    .addOption(new Option('--secure-boot <state>', 'with --keys (default: on)').choices(['on', 'off']))
    .addOption(
      new Option(
        '--tpm <state>',
        "'fresh', or a folder: a TPM that lives there, made with certificates at its first use",
      ).default('fresh'),
    )
    .option('--tis', 'connect the TPM as a FIFO; what is done unless --crb is given')
    .addOption(new Option('--crb', 'connect the TPM by its command response buffer').conflicts('tis'))
    .addOption(numberOption('--memory <mib>', 'of the machine; it shows in PCR 0', 512))
    .addOption(numberOption('--processors <count>', 'of the machine; it shows in PCR 0', 1))
    .addOption(
      new Option('--accelerator <name>', 'auto takes KVM where firmware really runs under it')
        .choices(['auto', 'tcg', 'kvm'])
        .default('auto'),
    )
    .option('--network', "a network of the machine's own; 127.0.0.1 of this machine is 10.0.2.2 there")
    .option('--keep-writes', 'let what the guest writes go into DISK')
    .option('--until <text>', 'succeed when this comes on the serial port')
    .addOption(numberOption('--timeout <seconds>', 'give up after so long', 240))
    .option('--results <dir>', 'write what the guest reports there')
    .option('--force', 'replace files there')
    .option('--serial', 'show what comes on the serial port')
    .option('--json', 'print one JSON document')
    .addHelpText('after', HELP);
}

function numberOption(flags: string, help: string, value: number): Option {
  return new Option(flags, help).default(value).argParser(wholeNumber);
}
