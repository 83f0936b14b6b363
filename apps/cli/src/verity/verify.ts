// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { verityFindings } from '@vouchsafe/verity';
import { type Repairable, verifyFiles } from '@vouchsafe/verity/node';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
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

interface VerifyOptions extends TreeOptions, FecOptions {
  readonly rootHashFile?: string;
  readonly rootHashSignature?: string;
  readonly certificate?: string;
  readonly threads?: number;
}

export const verify: Verb = {
  define(command, session) {
    command.description('Reads every block of DATA and of the tree in HASH, and checks them up to the root hash.');
    addFecOptions(
      addTreeOptions(addTreeArguments(command)),
      new Option('--fec-device <file>', 'say what of the damage this parity can mend'),
    )
      .addOption(rootHashFileOption())
      .option(
        '--root-hash-signature <file>',
        'check this signature of the root hash too: CMS, or a verity-sig partition; needs --certificate',
      )
      .option('--certificate <file>', 'who must have signed the root hash')
      .option('--threads <number>', 'threads to hash with (default: as the machine and the size suggest)', wholeNumber)
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExits with 0 when all is well, 1 when a block or the signature is not.\n\nExample:\n  vouchsafe verity verify root.erofs root.hash $(cat root.roothash)',
      )
      .action((dataPath: string, hashPath: string, root: string | undefined, options: VerifyOptions) =>
        run(session, dataPath, hashPath, root, options),
      );
  },
};

async function run(
  session: Session,
  dataArgument: string,
  hashArgument: string,
  root: string | undefined,
  options: VerifyOptions,
): Promise<void> {
  const { dataPath, hashPath } = treePaths(dataArgument, hashArgument);
  const rootHash = rootHashFrom(root, options.rootHashFile);
  const { rootHashSignature, certificate } = options;
  if ((rootHashSignature === undefined) !== (certificate === undefined)) {
    throw new UsageError('--root-hash-signature and --certificate go together');
  }
  let signer: string | undefined;
  if (rootHashSignature !== undefined && certificate !== undefined) {
    // Certificates are a good part of the program; most verifications need none.
    signer = (await import('./root-hash-signer.ts')).rootHashSigner(rootHash, rootHashSignature, certificate);
  }
  const tree = treeInFile(options, { dataPath, hashPath });
  const fec = fecRequest(options);
  const { threads } = options;
  const report = await verifyFiles({ dataPath, hashPath, tree, rootHash, fec, threads }, session.work);
  const { isGood, repairable } = report;
  const names = { data: dataPath, hash: hashPath };
  const nextStep = repairable && (repairable.isAll ? ALL_REPAIRABLE : NOT_ALL_REPAIRABLE);
  const findings = verityFindings(report, rootHash, names, nextStep);
  if (!isGood) session.exitCode = EXIT.no;
  const signed = signer === undefined ? '' : `\nroot hash signed by ${signer}`;
  session.answer(
    isGood
      ? `${dataPath}: good, all ${report.parameters.dataBlocks} blocks have the root hash ${toHex(rootHash)}${signed}`
      : `${findingsText(findings)}${fec && repairable ? `\n${repairableText(repairable, fec.path)}` : ''}`,
    {
      isGood,
      rootHash: toHex(rootHash),
      actualRootHash: toHex(report.actualRootHash),
      ...(signer === undefined ? {} : { signedBy: signer }),
      ...(repairable === undefined ? {} : { repairable }),
      findings,
    },
  );
}

const ALL_REPAIRABLE = '`verity repair` mends it.';
const NOT_ALL_REPAIRABLE = '`verity repair` mends what the parity covers, which is not all of the damage.';

function repairableText({ blocks, isAll }: Repairable, parity: string): string {
  if (blocks === 0)
    return `${parity}: no block can be mended: there is too much damage, or this is the parity of another image`;
  const count = blocks === 1 ? '1 block' : `${blocks} blocks`;
  return `${parity}: ${count} can be mended, ${isAll ? 'which is all of the damage' : 'and some damage would be left'}`;
}
