// SPDX-License-Identifier: Apache-2.0
import { constants, copyFileSync, rmSync, statSync } from 'node:fs';
import { hostError } from '@vouchsafe/bytes/node';
import { VerityError, verityFindings } from '@vouchsafe/verity';
import type { RepairReport } from '@vouchsafe/verity/node';
import { repairFiles } from '@vouchsafe/verity/node';
import { EXIT } from '../exit-code.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from './findings-text.ts';
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

interface RepairOptions extends TreeOptions, FecOptions {
  readonly rootHashFile?: string;
  readonly outputData?: string;
  readonly outputHash?: string;
  readonly threads?: number;
}

export const repair: Verb = {
  define(command, session) {
    command
      .description('Mends damaged blocks of DATA and HASH, where they stand, from the parity of --fec-device.')
      .argument('<DATA>', 'file or device with the data')
      .argument('<HASH>', 'file or device with the hash tree')
      .argument('[ROOT]', 'root hash, in hexadecimal');
    addFecOptions(addTreeOptions(command))
      .addOption(rootHashFileOption())
      .option('--output-data <file>', 'leave DATA alone and mend a copy of it')
      .option('--output-hash <file>', 'leave HASH alone and mend a copy of it')
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
  dataPath: string,
  hashPath: string,
  root: string | undefined,
  options: RepairOptions,
): Promise<void> {
  const rootHash = rootHashFrom(root, options.rootHashFile);
  const fec = fecRequest(options);
  if (fec === undefined) throw new VerityError('options_invalid', 'a repair needs the parity: --fec-device FILE');
  const tree = treeInFile(options, () => statSync(dataPath).size);

  const copies: string[] = [];
  try {
    const data = copyFor(dataPath, options.outputData, copies);
    const hash = copyFor(hashPath, options.outputHash, copies);
    const report = await repairFiles(
      { dataPath: data, hashPath: hash, tree, rootHash, fec, threads: options.threads },
      session.work,
    );
    copies.length = 0;
    const findings = verityFindings(report.after, rootHash, { data, hash });
    if (!report.after.isGood) session.exitCode = EXIT.no;
    session.answer(
      [repairedText(report, data, hash), findingsText(findings)].filter((text) => text !== '').join('\n'),
      {
        isGood: report.after.isGood,
        repairedBlocks: report.repairedBlocks,
        repairedData: report.repairedData,
        repairedHash: report.repairedHash,
        changedBytes: report.changedBytes,
        findings,
      },
    );
  } finally {
    // Left only by a failure.
    for (const copy of copies) rmSync(copy, { force: true });
  }
}

function copyFor(path: string, copy: string | undefined, copies: string[]): string {
  if (copy === undefined) return path;
  try {
    copyFileSync(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (cause) {
    throw hostError(copy, cause);
  }
  copies.push(copy);
  return copy;
}

function repairedText(
  { after, repairedData, repairedHash, repairedBlocks, changedBytes }: RepairReport,
  data: string,
  hash: string,
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
