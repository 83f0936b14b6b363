// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { toHex } from '@vouchsafe/base';
import { VerityError, verityFindings } from '@vouchsafe/verity';
import { verifyFiles } from '@vouchsafe/verity/node';
import { EXIT } from '../exit-code.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from './findings-text.ts';
import { addTreeOptions, rootHashFileOption, rootHashFrom, type TreeOptions, treeInFile } from './options.ts';

interface VerifyOptions extends TreeOptions {
  readonly rootHashFile?: string;
  readonly rootHashSignature?: string;
  readonly certificate?: string;
  readonly threads?: number;
}

export const verify: Verb = {
  define(command, session) {
    command
      .description('Reads every block of DATA and of the tree in HASH, and checks them up to the root hash.')
      .argument('<DATA>', 'file or device with the data')
      .argument('<HASH>', 'file or device with the hash tree')
      .argument('[ROOT]', 'root hash, in hexadecimal');
    addTreeOptions(command)
      .addOption(rootHashFileOption())
      .option(
        '--root-hash-signature <file>',
        'check this signature of the root hash too (CMS, DER); needs --certificate',
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
  dataPath: string,
  hashPath: string,
  root: string | undefined,
  options: VerifyOptions,
): Promise<void> {
  const rootHash = rootHashFrom(root, options.rootHashFile);
  const { rootHashSignature, certificate } = options;
  if ((rootHashSignature === undefined) !== (certificate === undefined)) {
    throw new VerityError('options_invalid', '--root-hash-signature and --certificate go together');
  }
  let signer: string | undefined;
  if (rootHashSignature !== undefined && certificate !== undefined) {
    // Certificates are a good part of the program; most verifications need none.
    signer = (await import('./root-hash-signer.ts')).rootHashSigner(rootHash, rootHashSignature, certificate);
  }
  const tree = treeInFile(options, () => statSync(dataPath).size);
  const report = await verifyFiles({ dataPath, hashPath, tree, rootHash, threads: options.threads }, session.work);
  const findings = verityFindings(report, rootHash, { data: dataPath, hash: hashPath });
  if (!report.isGood) session.exitCode = EXIT.no;
  session.answer(
    report.isGood
      ? `${dataPath}: good, all ${report.parameters.dataBlocks} blocks have the root hash ${toHex(rootHash)}${signer === undefined ? '' : `\nroot hash signed by ${signer}`}`
      : findingsText(findings),
    {
      isGood: report.isGood,
      rootHash: toHex(rootHash),
      actualRootHash: toHex(report.actualRootHash),
      ...(signer === undefined ? {} : { signedBy: signer }),
      findings,
    },
  );
}
