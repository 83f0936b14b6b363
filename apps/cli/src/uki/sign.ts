// SPDX-License-Identifier: Apache-2.0
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { type AuthenticodeAlgorithm, openPe, readCertificateTable, signPe } from '@vouchsafe/pe';
import { Option } from '../arguments/option.ts';
import { collect, timeMs } from '../parse.ts';
import type { Session } from '../session.ts';
import { readCertificates } from '../signature-files.ts';
import { addSignerOptions, openSigner, type SignerOptions } from '../signer-options.ts';
import type { Verb } from '../verb.ts';
import { addOutputOptions, type OutputOptions } from './build-options.ts';
import { builtAnswer } from './built-answer.ts';

interface SignOptions extends SignerOptions, OutputOptions {
  readonly addcert?: readonly string[];
  readonly digest: AuthenticodeAlgorithm;
  readonly signingTime?: number;
}

export const sign: Verb = {
  define(command, session) {
    command
      .description(
        'Signs a UKI, a kernel, a boot loader or another PE file for Secure Boot, besides the signatures it has.',
      )
      .argument('<FILE>', 'file to sign');
    addOutputOptions(addSignerOptions(command))
      .option('--addcert <file>', 'certificates to carry along, of authorities; may be repeated', collect<string>)
      .addOption(new Option('--digest <name>', 'digest of the file').choices(['sha256', 'sha384']).default('sha256'))
      .option(
        '--signing-time <time>',
        'write this time into the signature (default: none, as firmware reads none)',
        timeMs,
      )
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe uki sign linux.efi --key db.key --certificate db.crt -o linux.signed.efi',
      )
      .action((path: string, options: SignOptions) => run(session, path, options));
  },
};

async function run(session: Session, path: string, options: SignOptions): Promise<void> {
  const { addcert = [], digest: digestAlgorithm, signingTime } = options;
  // The file itself may be the output: with --force the signed one takes its place when it is complete.
  session.whenInterrupted = 'nothing was left under a final name';
  using source = FileSource.open(path);
  const pe = openPe(source);
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  const { signer, certificate } = await openSigner(options);
  const chain = addcert.flatMap(readCertificates);
  const signatures = readCertificateTable(pe).length + 1;
  await signPe(pe, output, {
    signer,
    digestAlgorithm,
    ...(chain.length === 0 ? {} : { chain }),
    ...(signingTime === undefined ? {} : { signingTimeMs: signingTime }),
    ...session.work,
  });
  output.commit();
  const { text, document } = builtAnswer(options.output, certificate);
  session.answer(signatures === 1 ? text : `${text}, signature ${signatures}`, { ...document, signatures });
}
