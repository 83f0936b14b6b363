// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import { partitionUuidsFromRootHash } from '@vouchsafe/disk';
import {
  formatCcRootfsVerity,
  formatDmModCreate,
  formatDmTable,
  formatKataParameters,
  formatLoadPinDigests,
  formatRoothash,
  formatUsrhash,
  kataObstacle,
  type VerityDescription,
  VerityError,
} from '@vouchsafe/verity';
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
  readonly dataDevice?: string;
  readonly hashDevice?: string;
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
      .option('--data-device <name>', 'the data at boot (default: the partition whose UUID the root hash gives)')
      .option('--hash-device <name>', 'the tree at boot (default: likewise)')
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
  const description = { ...knownTree(hash, tree), rootHash, ...devices(rootHash, options) };
  const wanted = options.for === undefined ? FORMS : [options.for];
  const forms = Object.fromEntries(wanted.map((form) => [form, formatAs[form](description, options.name)]));
  const obstacle = wanted.includes('kata') ? kataObstacle(description) : undefined;
  if (obstacle !== undefined) session.note(obstacle);
  const text =
    options.for === undefined
      ? Object.entries(forms)
          .map(([form, line]) => `# ${form}\n${line.trimEnd()}\n`)
          .join('\n')
      : (forms[options.for] ?? '');
  session.answer(text, forms);
}

/** As the options say; else by the partition UUIDs that Discoverable Partitions derive from the root hash. */
function devices(
  rootHash: Uint8Array,
  { dataDevice, hashDevice }: DescribeOptions,
): { readonly dataDevice: string; readonly hashDevice: string } {
  const uuids = rootHash.length >= 32 ? partitionUuidsFromRootHash(rootHash) : undefined;
  return {
    dataDevice: dataDevice ?? `PARTUUID=${uuids?.data ?? 'DATA'}`,
    hashDevice: hashDevice ?? `PARTUUID=${uuids?.hash ?? 'HASH'}`,
  };
}

const formatAs: Readonly<Record<Form, (d: VerityDescription, name: string) => string>> = {
  systemd: formatRoothash,
  usr: formatUsrhash,
  cc: formatCcRootfsVerity,
  kata: formatKataParameters,
  'dm-mod': formatDmModCreate,
  dmsetup: formatDmTable,
  loadpin: ({ rootHash }) => formatLoadPinDigests([rootHash]),
};
