// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import { describeParity, type ParityDescription, requireRootHash, type VerityBehaviour } from '@vouchsafe/verity';
import { type KnownTree, knownTree } from '@vouchsafe/verity/node';
import { Option } from '../arguments/option.ts';
import { inputPath } from '../input-path.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { bootForm, derivedDevices, devicePath, FORMS, type Form } from './boot-forms.ts';
import {
  addFecOptions,
  addTreeOptions,
  type FecOptions,
  fecRequest,
  rootHashFileOption,
  rootHashFrom,
  type TreeOptions,
  treeInFile,
} from './options.ts';

interface DescribeOptions extends TreeOptions, FecOptions {
  readonly rootHashFile?: string;
  readonly for?: Form;
  readonly dataDevice?: string;
  readonly hashDevice?: string;
  readonly name: string;
  readonly ignoreZeroBlocks?: true;
  readonly restartOnCorruption?: true;
  readonly panicOnCorruption?: true;
  readonly rootHashSigKeyDesc?: string;
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
      .option('--name <name>', 'name of the mapped device', 'root');
    addFecOptions(command, new Option('--fec-device <name>', 'the parity at boot (default: it is not used)'))
      .option('--ignore-zero-blocks', 'take blocks that should be zeros as such, without reading them')
      .addOption(
        new Option('--restart-on-corruption', 'restart the machine at a damaged block').conflicts('panicOnCorruption'),
      )
      .option('--panic-on-corruption', 'panic at a damaged block')
      .option('--root-hash-sig-key-desc <text>', 'description of the key with the signature of the root hash')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExits with 1 when the tree does not have this root hash.\n\nExample:\n  vouchsafe verity describe root.hash $(cat root.roothash) --for systemd',
      )
      .action((hashArgument: string, root: string | undefined, options: DescribeOptions) =>
        run(session, hashArgument, root, options),
      );
  },
};

async function run(
  session: Session,
  hashArgument: string,
  root: string | undefined,
  options: DescribeOptions,
): Promise<void> {
  const { dataDevice, hashDevice, name } = options;
  const rootHash = rootHashFrom(root, options.rootHashFile);
  using hash = FileSource.open(inputPath(hashArgument));
  const known = knownTree(hash, treeInFile(options, undefined));
  requireRootHash({ hash, ...known, rootHash });
  const parity = parityFrom(options, known, hash.size, rootHash);
  const description = { ...known, rootHash, dataDevice, hashDevice, parity, ...behaviourFrom(options) };
  if (options.for === undefined) {
    const outputs = FORMS.map((form) => ({ form, ...bootForm(form, description, name) }));
    answerAll(session, outputs);
    return;
  }
  const output = bootForm(options.for, description, name);
  if ('obstacle' in output) throw new UsageError(`--for ${options.for}: ${output.obstacle}`);
  session.answer(output.text, { [options.for]: output.text, obstacles: {} });
}

type NamedOutput = { readonly form: Form } & ReturnType<typeof bootForm>;

/** A form that would not work is left out, and said to be. */
function answerAll(session: Session, outputs: readonly NamedOutput[]): void {
  const obstacles = outputs.flatMap((one) => ('obstacle' in one ? [[one.form, one.obstacle] as const] : []));
  const texts = outputs.flatMap((one) => ('text' in one ? [`# ${one.form}\n${one.text.trimEnd()}\n`] : []));
  if (!session.isJson) for (const [form, obstacle] of obstacles) session.note(`${form} is left out: ${obstacle}`);
  session.answer(texts.join('\n'), {
    ...Object.fromEntries(outputs.map((one) => [one.form, 'text' in one ? one.text : null])),
    obstacles: Object.fromEntries(obstacles),
  });
}

function behaviourFrom(options: DescribeOptions): VerityBehaviour {
  const { ignoreZeroBlocks, restartOnCorruption, panicOnCorruption, rootHashSigKeyDesc } = options;
  return {
    ignoresZeroBlocks: ignoreZeroBlocks,
    onCorruption: restartOnCorruption ? 'restart' : panicOnCorruption ? 'panic' : undefined,
    signatureKey: rootHashSigKeyDesc,
  };
}

/** What the parity covers is computed from the hash file, so that must be what it was when the parity was made. */
function parityFrom(
  options: DescribeOptions,
  known: KnownTree,
  hashSizeBytes: number,
  rootHash: Uint8Array,
): ParityDescription | undefined {
  const fec = fecRequest(options);
  if (fec === undefined) return undefined;
  const hashDevice = options.hashDevice ?? derivedDevices(rootHash)?.hash;
  const isOnHashDevice = hashDevice !== undefined && devicePath(hashDevice) === devicePath(fec.path);
  const { path: device, offset, roots } = fec;
  return describeParity({ ...known, hashSizeBytes, device, isOnHashDevice, offset, roots });
}
