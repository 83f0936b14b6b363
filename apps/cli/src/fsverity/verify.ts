// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { fsVerityDigest, measureFsVerity, VerityError, verifyFileDigestSignature } from '@vouchsafe/verity';
import { EXIT } from '../exit-code.ts';
import { inputPath } from '../input-path.ts';
import { readSmallFile } from '../parse.ts';
import type { Session } from '../session.ts';
import { inFile, readCertificates, signatureDer } from '../signature-files.ts';
import type { Verb } from '../verb.ts';
import { addFileDigestOptions, type FileDigestOptions, fileDigestOptions } from './options.ts';

interface VerifyFileOptions extends FileDigestOptions {
  readonly certificate: string;
}

export const verify: Verb = {
  define(command, session) {
    command
      .description('Checks that SIGNATURE is over the fs-verity digest of FILE.')
      .argument('<FILE>', 'signed file')
      .argument('<SIGNATURE>', 'signature, CMS in DER or PEM');
    addFileDigestOptions(command)
      .requiredOption('--cert, --certificate <file>', 'who must have signed')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe fsverity verify app.bin app.bin.sig --certificate fsverity.crt')
      .action((path: string, signaturePath: string, options: VerifyFileOptions) =>
        run(session, path, signaturePath, options),
      );
  },
};

async function run(session: Session, path: string, signaturePath: string, options: VerifyFileOptions): Promise<void> {
  const trusted = readCertificates(options.certificate);
  const bytes = readSmallFile(signaturePath);
  const signature = inFile(signaturePath, () => signatureDer(bytes));
  using file = FileSource.open(inputPath(path));
  const description = await measureFsVerity(file, fileDigestOptions(options), undefined, session.work);
  const { algorithm } = description;
  const digest = fsVerityDigest(description);
  const document = { file: path, algorithm, digest: toHex(digest) };
  try {
    const { certificate } = inFile(signaturePath, () =>
      verifyFileDigestSignature({ algorithm, digest }, signature, trusted),
    );
    const signedBy = certificate.subject.text;
    session.answer(`${path}: good, signed by ${signedBy}`, { isGood: true, ...document, signedBy });
  } catch (error) {
    if (!(error instanceof VerityError && error.code === 'signature_invalid')) throw error;
    session.exitCode = EXIT.no;
    session.answer(`${path}: ${error.message}`, { isGood: false, ...document, reason: error.message });
  }
}
