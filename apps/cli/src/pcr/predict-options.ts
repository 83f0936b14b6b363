// SPDX-License-Identifier: Apache-2.0
import type { Bank } from '@vouchsafe/manifest';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { Option } from '../arguments/option.ts';
import { collect, collectList, wholeNumber } from '../parse.ts';
import { collectBanks } from '../uki/build-options.ts';

export interface PredictOptions {
  readonly secureBoot: 'on' | 'off';
  readonly bank?: readonly Bank[];
  readonly phases?: readonly string[];
  readonly pcrs?: readonly number[];
  readonly loader?: string;
  readonly loaderConf?: string;
  readonly shim?: string;
  readonly extra?: string;
  readonly loaderAddons?: string;
  readonly loaderCredentials?: string;
  readonly machineId?: string;
  readonly volume?: readonly string[];
  readonly fileSystem?: readonly string[];
  readonly vars?: string;
  readonly entry?: string;
  readonly profile?: number;
  readonly options?: string;
  readonly key?: string;
  readonly corim?: string;
  readonly events?: true;
  readonly pcrlock?: string;
  readonly pcrsig?: string;
  readonly pcrPrivateKey?: string;
  readonly manifest?: string;
  readonly name?: string;
  readonly imageVersion?: string;
  readonly manifestPrivateKey?: string;
  readonly passphraseFile?: string;
  readonly force?: true;
}

/** PCRs that can be predicted; of 1 the boot entries alone. */
const PREDICTABLE = [1, 4, 5, 7, 9, 11, 12, 13, 14];

function pcrNumbers(text: string): readonly number[] {
  const pcrs = collectList(text).map((word) => wholeNumber(word));
  if (pcrs.length === 0 || pcrs.some((pcr) => !PREDICTABLE.includes(pcr))) {
    throw new InvalidArgumentError(`Expected some of ${PREDICTABLE.join(', ')}.`);
  }
  return pcrs;
}

export function addPredictOptions(command: Command): Command {
  return command
    .addOption(new Option('--secure-boot <state>', 'as the machine has it').choices(['on', 'off']).default('on'))
    .option(
      '--bank <name>',
      'bank of PCRs: sha1, sha256, sha384, sha512; may be repeated (default: sha256)',
      collectBanks,
    )
    .option('--phases <paths>', 'boot phase paths, as enter-initrd:leave-initrd; may be repeated', collectList)
    .addOption(
      new Option('--pcrs <numbers>', 'these PCRs alone (default: all that can be known)').argParser(pcrNumbers),
    )
    .option(
      '--vars <file>',
      'variables of the machine, for PCR 7: a variable store (OVMF_VARS.fd) or a folder of keys generate',
    )
    .option('--loader <file>', 'of a UKI: systemd-boot, where it starts the UKI (default: firmware does)')
    .option('--loader-conf <file>', "of a UKI: systemd-boot's loader.conf")
    .option('--shim <file>', 'of a UKI: shim, where firmware starts it first')
    .option('--extra <folder>', 'of a UKI: what lies in NAME.efi.extra.d beside it')
    .option('--loader-addons <folder>', 'of a UKI: what lies in /loader/addons')
    .option('--loader-credentials <folder>', 'of a UKI: what lies in /loader/credentials')
    .option('--machine-id <id>', 'for PCR 15: of the machine, 32 hexadecimal digits')
    .option(
      '--volume <name:uuid:file>',
      'for PCR 15: an encrypted volume, and the file with its key; may be repeated',
      collect<string>,
    )
    .option(
      '--file-system <fields>',
      'for PCR 15: PATH:TYPE:UUID:LABEL:PARTUUID:PARTTYPE:PARTLABEL, from TYPE on each may be empty; may be repeated',
      collect<string>,
    )
    .option('--entry <name>', 'of a disk: the boot entry that is started, where there are several')
    .option('--profile <number>', 'profile of the UKI that is started', wholeNumber)
    .option('--options <text>', 'options of the boot entry, or typed there')
    .option('--key <file>', 'of a manifest: public key that it must be signed by')
    .option('--corim <file>', 'of a manifest: write its values as a CoRIM, for other verifiers')
    .option('--events', 'each event too, with where it comes from')
    .option('--pcrlock <folder>', 'write the components for systemd-pcrlock there, one file for each')
    .option('--pcrsig <file>', 'write signed policies for PCR 11; needs --pcr-private-key')
    .option('--pcr-private-key <file>', 'RSA key that signs them')
    .option('--manifest <file>', 'write a signed manifest; needs --name, --image-version and --manifest-private-key')
    .option('--name <text>', 'of the image')
    .option('--image-version <text>', 'of the image')
    .option('--manifest-private-key <file>', 'Ed25519 key that signs the manifest')
    .option('--passphrase-file <file>', 'file with the pass phrase of an encrypted key, - for standard input')
    .option('--force', 'replace existing files')
    .option('--json', 'print one JSON document');
}
