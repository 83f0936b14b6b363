// SPDX-License-Identifier: Apache-2.0

import { FileSource } from '@vouchsafe/bytes/node';
import type { VerityDescription } from '@vouchsafe/verity';
import { VerityError } from '@vouchsafe/verity';
import { knownTree } from '@vouchsafe/verity/node';
import { Option } from 'commander';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { addTreeOptions, rootHashFileOption, rootHashFrom, type TreeOptions, treeInFile } from './options.ts';

const FORMS = ['systemd', 'usr', 'cc', 'kata', 'dm-mod', 'dmsetup', 'loadpin'] as const;
type Form = (typeof FORMS)[number];

interface DescribeOptions extends TreeOptions {
  readonly rootHashFile?: string;
  readonly for?: Form;
  readonly dataDevice: string;
  readonly hashDevice: string;
  readonly name: string;
}

export const describe: Verb = {
  define(command, session) {
    command
      .description(
        'Prints what boots this root: kernel command lines and tables for systemd, kata, the kernel and others.',
      )
      .argument('<HASH>', 'file or device with the hash tree')
      .argument('[ROOT]', 'root hash, in hexadecimal');
    addTreeOptions(command)
      .addOption(rootHashFileOption())
      .addOption(
        new Option('--for <form>', 'one form, alone on standard output (default: all, each with its name)').choices(
          FORMS,
        ),
      )
      .option('--data-device <name>', 'the data at boot, as the kernel will find it', 'PARTUUID=DATA')
      .option('--hash-device <name>', 'the tree at boot', 'PARTUUID=HASH')
      .option('--name <name>', 'name of the mapped device', 'root')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe verity describe root.hash $(cat root.roothash) --for systemd')
      .action((hashPath: string, root: string | undefined, options: DescribeOptions) =>
        run(session, hashPath, root, options),
      );
  },
};

async function run(
  session: Session,
  hashPath: string,
  root: string | undefined,
  options: DescribeOptions,
): Promise<void> {
  const rootHash = rootHashFrom(root, options.rootHashFile);
  using hash = FileSource.open(hashPath);
  const tree = treeInFile(options, () => {
    throw new VerityError(
      'options_invalid',
      'with --no-superblock say --data-blocks too, as there is no data file to count',
    );
  });
  const { dataDevice, hashDevice } = options;
  const forms = await formsOf({ ...knownTree(hash, tree), rootHash, dataDevice, hashDevice }, options.name);
  const text =
    options.for === undefined
      ? FORMS.map((form) => `# ${form}\n${forms[form].trimEnd()}\n`).join('\n')
      : forms[options.for];
  session.answer(text, options.for === undefined ? forms : { [options.for]: forms[options.for] });
}

async function formsOf(d: VerityDescription, name: string): Promise<Record<Form, string>> {
  const v = await import('@vouchsafe/verity');
  return {
    systemd: v.formatRoothash(d),
    usr: v.formatUsrhash(d),
    cc: v.formatCcRootfsVerity(d),
    kata: v.formatKataParameters(d),
    'dm-mod': v.formatDmModCreate(d, name),
    dmsetup: v.formatDmTable(d),
    loadpin: v.formatLoadPinDigests([d.rootHash]),
  };
}
