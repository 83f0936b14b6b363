// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { fsVerityDigest, measureFsVerity, signFileDigest } from '@vouchsafe/verity';
import type { Session } from '../session.ts';
import { addSignerOptions, openSigner, type SignerOptions } from '../signer-options.ts';
import type { Verb } from '../verb.ts';
import { addFileDigestOptions, type FileDigestOptions, fileDigestOptions } from './options.ts';

interface SignFileOptions extends FileDigestOptions, SignerOptions {
  readonly force?: true;
}

export const sign: Verb = {
  define(command, session) {
    command
      .description('Signs the fs-verity digest of FILE, as the kernel checks it.')
      .argument('<FILE>', 'file to sign')
      .argument('<SIGNATURE>', 'file to write');
    addSignerOptions(addFileDigestOptions(command))
      .option('--force', 'replace an existing signature file')
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

async function run(session: Session, path: string, signaturePath: string, options: SignFileOptions): Promise<void> {
  using output = OutputFile.create(signaturePath, { force: options.force ?? false });
  const { signer } = await openSigner(options);
  using file = FileSource.open(path);
  const description = await measureFsVerity(file, fileDigestOptions(options), undefined, session.work);
  const { algorithm } = description;
  const digest = fsVerityDigest(description);
  output.write(0, await signFileDigest({ algorithm, digest }, signer));
  output.commit();
  const text = toHex(digest);
  session.answer(`Signed file '${path}' (${algorithm}:${text})`, {
    file: path,
    algorithm,
    digest: text,
    signature: signaturePath,
  });
}
