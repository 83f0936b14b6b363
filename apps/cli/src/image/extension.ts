// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { type Finding, parseUtf8 } from '@vouchsafe/base';
import {
  architecturePartitionType,
  clampTimes,
  type ExtensionClass,
  PARTITION_ARCHITECTURES,
  type PartitionArchitecture,
  parseReleaseFile,
  type TreeEntry,
} from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { type CheckedTree, type DdiPartition, extensionTree, portableTree, writeDdi } from '@vouchsafe/image';
import type { Command } from '../arguments/command.ts';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
import { requireDistinctOutputs } from '../outputs.ts';
import { readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from '../verity/findings-text.ts';
import { writtenDocument, writtenText } from './disk.ts';
import {
  addMakeOptions,
  type MakeOptions,
  rootHashSigner,
  sectorSizeOf,
  sectorSizeOption,
  timestampOf,
} from './make-options.ts';

type ImageClass = ExtensionClass | 'portable';

interface ExtensionOptions extends MakeOptions {
  readonly name?: string;
  readonly architecture: PartitionArchitecture;
  readonly sectorSize: string;
  readonly osRelease?: string;
  readonly anyHost?: true;
  readonly scope?: string;
  readonly relaxedName?: true;
}

const DESCRIPTIONS: Readonly<Record<ImageClass, string>> = {
  sysext:
    'Makes a system extension: a disk image whose /usr and /opt are laid over those of a host, with a hash tree, and signed where a key is named.',
  confext:
    'Makes a configuration extension: a disk image whose /etc is laid over that of a host, with a hash tree, and signed where a key is named.',
  portable:
    'Makes the image of a portable service, with a hash tree, and signed where a key is named; checked by the rules of portablectl.',
};
const EXAMPLES: Readonly<Record<ImageClass, string>> = {
  sysext:
    'vouchsafe image sysext extension --os-release os-release --key verity.key --certificate verity.crt -o tools.raw',
  confext: 'vouchsafe image confext settings --any-host -o settings.raw',
  portable: 'vouchsafe image portable service --key verity.key --certificate verity.crt -o app_1.0.raw',
};

/** The verbs that make these differ in little. */
export function extensionVerb(imageClass: ImageClass): Verb {
  return {
    define(command, session) {
      command
        .description(DESCRIPTIONS[imageClass])
        .argument('<TREE>', 'folder, tar archive or OCI image')
        .option('--name <name>', 'of the image (default: that of the output without .raw)');
      if (imageClass !== 'portable') addReleaseOptions(command);
      command
        .addOption(
          new Option('--architecture <name>', 'of the partitions, and of the programs')
            .choices([...PARTITION_ARCHITECTURES])
            .default('x86-64'),
        )
        .addOption(sectorSizeOption());
      addMakeOptions(command)
        .addHelpText(
          'after',
          `\nWrites nothing and exits with 1 when no host would take it.\n\nExample:\n  ${EXAMPLES[imageClass]}`,
        )
        .action((tree: string, options: ExtensionOptions) => run(session, imageClass, tree, options));
    },
  };
}

/** How the extension-release is made, where the tree has none. */
function addReleaseOptions(command: Command): void {
  command
    .option('--os-release <file>', 'os-release of the hosts that it fits, to make its extension-release of')
    .option('--any-host', 'make it fit every host')
    .option('--scope <words>', 'what it is for, of system, initrd and portable (default: "system portable")')
    .option('--relaxed-name', 'let the image be taken under another name, too');
}

async function run(
  session: Session,
  imageClass: ImageClass,
  treePath: string,
  options: ExtensionOptions,
): Promise<void> {
  const { output, key, certificate, osRelease } = options;
  requireDistinctOutputs([treePath, key, certificate, osRelease], [output]);
  const timestampSeconds = timestampOf(options);
  const signer = await rootHashSigner(options);
  using tree = await openTree(treePath, session.work);
  const entries = ownedEntries(tree.entries, timestampSeconds, options);
  const name = options.name ?? imageName(output, imageClass);
  const checked = checkedTree(imageClass, name, entries, timestampSeconds, options);
  const { findings } = checked;
  if (findings.some(({ severity }) => severity === 'error')) {
    session.exitCode = EXIT.no;
    session.answer(printable(`${output}: not made\n${findingsText(findings)}`), { isGood: false, findings });
    return;
  }
  session.whenInterrupted = 'nothing was left under a final name';
  const written = await writeDdi(
    {
      partitions: partitionsOf(checked.entries, options.architecture, signer !== undefined),
      seedUuid: options.seed,
      sectorSize: sectorSizeOf(options.sectorSize),
      timestampSeconds,
      signer,
      path: output,
      force: options.force ?? false,
    },
    session.work,
  );
  const text = [writtenText(output, written), ...warnings(findings)].join('\n');
  session.answer(printable(text), { isGood: true, ...(writtenDocument(output, written) as object), findings });
}

const warnings = (findings: readonly Finding[]): string[] =>
  findings.length === 0 ? [] : ['', findingsText(findings)];

function ownedEntries(
  entries: readonly TreeEntry[],
  timestampSeconds: number,
  { allRoot }: ExtensionOptions,
): TreeEntry[] {
  const clamped = clampTimes(entries, timestampSeconds);
  if (allRoot === undefined) return clamped;
  return clamped.map((entry) => (entry.kind === 'hardlink' ? entry : { ...entry, uid: 0, gid: 0 }));
}

function checkedTree(
  imageClass: ImageClass,
  name: string,
  entries: readonly TreeEntry[],
  timestampSeconds: number,
  options: ExtensionOptions,
): CheckedTree {
  // portablectl goes by the name without its version.
  if (imageClass === 'portable') return portableTree(name.replace(/_.*$/, ''), entries);
  return extensionTree({
    extensionClass: imageClass,
    name,
    entries,
    release: releaseFields(imageClass, options),
    isNameRelaxed: options.relaxedName ?? false,
    timestampSeconds,
  });
}

/** The fields of an extension-release that is to be made. @throws {UsageError} for options that contradict each other. */
function releaseFields(
  extensionClass: ExtensionClass,
  options: ExtensionOptions,
): ReadonlyMap<string, string> | undefined {
  const { osRelease, anyHost, scope, architecture } = options;
  const upper = extensionClass.toUpperCase();
  if (osRelease === undefined && anyHost === undefined) {
    if (scope !== undefined) throw new UsageError('--scope goes with --os-release or --any-host, which make the file');
    return undefined;
  }
  if (osRelease !== undefined && anyHost !== undefined) throw new UsageError('--os-release and --any-host: name one');
  const fields = new Map<string, string>();
  if (osRelease === undefined) fields.set('ID', '_any');
  else {
    const host = parseReleaseFile(parseUtf8(readSmallFile(osRelease)), osRelease);
    for (const key of ['ID', 'VERSION_ID', `${upper}_LEVEL`]) {
      const value = host.get(key);
      if (value !== undefined) fields.set(key, value);
    }
  }
  // Settings are the same on all architectures.
  if (extensionClass === 'sysext') fields.set('ARCHITECTURE', architecture);
  if (scope !== undefined) fields.set(`${upper}_SCOPE`, scope);
  return fields;
}

/** The partitions that systemd-repart's own definitions of extensions have. */
function partitionsOf(
  tree: readonly TreeEntry[],
  architecture: PartitionArchitecture,
  isSigned: boolean,
): DdiPartition[] {
  const verity = (role: 'data' | 'hash' | 'signature') => ({ role, matchKey: 'root' }) as const;
  const type = (role: 'root' | 'root-verity' | 'root-verity-sig') => architecturePartitionType(role, architecture);
  return [
    { name: 'root', typeUuid: type('root'), verity: verity('data'), content: { kind: 'erofs', tree } },
    { name: 'root-verity', typeUuid: type('root-verity'), verity: verity('hash') },
    ...(isSigned ? [{ name: 'root-verity-sig', typeUuid: type('root-verity-sig'), verity: verity('signature') }] : []),
  ];
}

function imageName(output: string, imageClass: ImageClass): string {
  return basename(output).replace(new RegExp(`(\\.${imageClass})?\\.raw$`), '');
}
