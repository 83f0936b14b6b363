// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { commitTogether, FileSource } from '@vouchsafe/bytes/node';
import { fsVerityDigest, measureFsVerity, signFileDigest } from '@vouchsafe/verity';
import { inputPath } from '../input-path.ts';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import type { Session } from '../session.ts';
import { addSignerOptions, openSigner, type SignerOptions } from '../signer-options.ts';
import type { Verb } from '../verb.ts';
import { addFileOutputOptions, type FileOutputOptions, FileOutputs } from './file-outputs.ts';
import { addFileDigestOptions, type FileDigestOptions, fileDigestOptions } from './options.ts';

interface SignFileOptions extends FileDigestOptions, SignerOptions, FileOutputOptions {}

export const sign: Verb = {
  define(command, session) {
    command
      .description('Signs the fs-verity digest of FILE, as the kernel checks it: with an RSA key.')
      .argument('<FILE>', 'file to sign')
      .argument('<SIGNATURE>', 'file to write, - for standard output');
    addFileOutputOptions(addSignerOptions(addFileDigestOptions(command)), '')
      .option('--force', 'replace existing output files')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe fsverity sign app.bin app.bin.sig --key fsverity.key --certificate fsverity.crt',
      )
      .action((path: string, signaturePath: string, options: SignFileOptions) =>
        run(session, path, signaturePath, options),
      );
  },
};

async function run(session: Session, argument: string, signaturePath: string, options: SignFileOptions): Promise<void> {
  const { key, certificate, passphraseFile, outMerkleTree, outDescriptor } = options;
  const path = inputPath(argument);
  requireDistinctOutputs([path, key, certificate, passphraseFile], [signaturePath, outMerkleTree, outDescriptor]);
  using output = openSmallOutput(session, signaturePath, { option: 'SIGNATURE', force: options.force });
  using outputs = new FileOutputs(options);
  session.whenInterrupted = 'nothing was left under a final name';
  const { signer } = await openSigner(options);
  using file = FileSource.open(path);
  const description = await measureFsVerity(file, fileDigestOptions(options), outputs.tree, session.work);
  outputs.describe(description);
  const { algorithm } = description;
  const digest = fsVerityDigest(description);
  const signature = await signFileDigest({ algorithm, digest }, signer);
  commitTogether([...outputs.files, output.joint(signature)]);
  const text = toHex(digest);
  session.answer(`Signed file '${argument}' (${algorithm}:${text})`, {
    file: argument,
    algorithm,
    digest: text,
    signature: signaturePath,
  });
}
