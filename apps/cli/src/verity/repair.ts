// SPDX-License-Identifier: Apache-2.0
import { type VerityNames, verityFindings } from '@vouchsafe/verity';
import type { FecFileRequest, RepairReport } from '@vouchsafe/verity/node';
import { repairFiles } from '@vouchsafe/verity/node';
import { EXIT } from '../exit-code.ts';
import { requireNamedOutput } from '../outputs.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from './findings-text.ts';
import {
  addFecOptions,
  addTreeArguments,
  addTreeOptions,
  type FecOptions,
  fecRequest,
  rootHashFileOption,
  rootHashFrom,
  type TreeOptions,
  treeInFile,
  treePaths,
} from './options.ts';

interface RepairOptions extends TreeOptions, FecOptions {
  readonly rootHashFile?: string;
  readonly outputData?: string;
  readonly outputHash?: string;
  readonly force?: true;
  readonly threads?: number;
}

export const repair: Verb = {
  define(command, session) {
    command.description('Mends damaged blocks of DATA and HASH, where they stand, from the parity of --fec-device.');
    addFecOptions(addTreeOptions(addTreeArguments(command)))
      .addOption(rootHashFileOption())
      .option('--output-data <file>', 'leave DATA alone and mend a copy of it')
      .option('--output-hash <file>', 'leave HASH alone and mend a copy of it')
      .option('--force', 'replace existing output files')
      .option('--threads <number>', 'threads to hash with (default: as the machine and the size suggest)', wholeNumber)
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nA block is written only when its new content has the digest that the tree holds, up to the root hash.\nExits with 0 when all is well afterwards, 1 when damage is left.\n\nExample:\n  vouchsafe verity repair root.erofs root.hash --root-hash-file root.roothash --fec-device root.fec',
      )
      .action((dataPath: string, hashPath: string, root: string | undefined, options: RepairOptions) =>
        run(session, dataPath, hashPath, root, options),
      );
  },
};

async function run(
  session: Session,
  dataArgument: string,
  hashArgument: string,
  root: string | undefined,
  options: RepairOptions,
): Promise<void> {
  const { outputData, outputHash, force, threads } = options;
  requireNamedOutput(outputData, '--output-data');
  requireNamedOutput(outputHash, '--output-hash');
  if (force && outputData === undefined && outputHash === undefined) {
    throw new UsageError('--force is for existing output files; it needs --output-data or --output-hash');
  }
  const { dataPath, hashPath } = treePaths(dataArgument, hashArgument);
  const rootHash = rootHashFrom(root, options.rootHashFile);
  const fec = fecRequest(options);
  if (fec === undefined) throw new UsageError('a repair needs the parity: --fec-device FILE');
  const tree = treeInFile(options, { dataPath, hashPath });
  const request = { dataPath, hashPath, tree, rootHash, fec, outputData, outputHash, force, threads };
  session.whenInterrupted =
    outputData !== undefined && outputHash !== undefined
      ? 'nothing was left under a final name'
      : 'what was mended until then stays so; run it again to go on';
  const report = await repairFiles(request, session.work);
  const { after, repairedBlocks, repairedData, repairedHash, changedBytes } = report;
  const names = { data: outputData ?? dataPath, hash: outputHash ?? hashPath };
  const findings = verityFindings(after, rootHash, names, whyLeft(report, fec));
  if (!after.isGood) session.exitCode = EXIT.no;
  session.answer([repairedText(report, names), findingsText(findings)].filter((text) => text !== '').join('\n'), {
    isGood: after.isGood,
    repairedBlocks,
    repairedData,
    repairedHash,
    changedBytes,
    findings,
  });
}

/** What is left after a repair is not to be repaired once more with the same parity. */
function whyLeft({ parity: { neededBytes, foundBytes } }: RepairReport, { path, roots }: FecFileRequest): string {
  if (foundBytes === neededBytes) {
    return `More damage than ${roots} parity bytes a codeword cover, or ${path} is damaged or the parity of another image.`;
  }
  return `The parity in ${path} has ${foundBytes} octets, ${roots} roots need ${neededBytes}: is --fec-roots right? If it is, there is more damage than they cover.`;
}

function repairedText(
  { after, repairedData, repairedHash, repairedBlocks, changedBytes }: RepairReport,
  { data, hash }: VerityNames,
): string {
  const lines: string[] = [];
  repairedHash.forEach((blocks, level) => {
    if (blocks.length > 0) lines.push(`${hash}: repaired level ${level}, ${blocksText(blocks)}`);
  });
  if (repairedData.length > 0) lines.push(`${data}: repaired ${blocksText(repairedData)}`);
  if (lines.length > 0)
    lines.push(
      `${repairedBlocks} ${repairedBlocks === 1 ? 'block' : 'blocks'} mended, ${changedBytes} bytes were wrong`,
    );
  if (after.isGood) lines.push(lines.length > 0 ? 'all is well now' : 'nothing was damaged');
  return lines.join('\n');
}

const MAX_NUMBERS = 20;

function blocksText(blocks: readonly number[]): string {
  const shown = blocks.slice(0, MAX_NUMBERS).join(', ');
  const more = blocks.length - MAX_NUMBERS;
  return `${blocks.length === 1 ? 'block' : 'blocks'} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
