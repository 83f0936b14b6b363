// SPDX-License-Identifier: Apache-2.0
import { fingerprintOf } from '@vouchsafe/pki';
import { encodeVeritySigPartition, signRootHash } from '@vouchsafe/verity';
import { Option } from '../arguments/option.ts';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { addSignerOptions, openSigner, type SignerOptions } from '../signer-options.ts';
import type { Verb } from '../verb.ts';
import { rootHashFileOption, rootHashFrom } from './options.ts';

interface SignRootOptions extends SignerOptions {
  readonly rootHashFile?: string;
  readonly output: string;
  readonly as: 'cms' | 'partition';
  readonly partitionSize: number;
  readonly embedCertificate: boolean;
  readonly force?: true;
}

export const sign: Verb = {
  define(command, session) {
    command
      .description('Signs a root hash, as the kernel, veritysetup and systemd check it.')
      .argument('[ROOT]', 'root hash, in hexadecimal')
      .addOption(rootHashFileOption())
      .requiredOption('-o, --output <file>', 'where to write the signature, - for standard output')
      .addOption(
        new Option('--as <form>', 'cms: for --root-hash-signature; partition: the content of a verity-sig partition')
          .choices(['cms', 'partition'])
          .default('cms'),
      )
      .option('--partition-size <bytes>', 'size of the partition', wholeNumber, 16384)
      .option('--no-embed-certificate', 'leave the certificate out of the signature');
    addSignerOptions(command)
      .option('--force', 'replace an existing output file')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe verity sign --root-hash-file root.roothash --key verity.key --certificate verity.crt -o root.roothash.p7s',
      )
      .action((root: string | undefined, options: SignRootOptions) => run(session, root, options));
  },
};

async function run(session: Session, root: string | undefined, options: SignRootOptions): Promise<void> {
  const { key, passphraseFile, rootHashFile } = options;
  requireDistinctOutputs([key, options.certificate, passphraseFile, rootHashFile], [options.output]);
  const rootHash = rootHashFrom(root, rootHashFile);
  using output = openSmallOutput(session, options.output, { option: '--output', force: options.force });
  session.whenInterrupted = 'nothing was left under a final name';
  const { signer, certificate } = await openSigner(options);
  const signature = await signRootHash(rootHash, signer, { includeCertificate: options.embedCertificate });
  const bytes =
    options.as === 'cms'
      ? signature
      : encodeVeritySigPartition(
          { rootHash, certificateFingerprint: fingerprintOf(certificate), signature },
          options.partitionSize,
        );
  output.commit(bytes);
  session.answer(
    `${options.output === '-' ? 'signature' : options.output}: ${bytes.length} octets, signed by ${certificate.subject.text}`,
    {
      output: options.output,
      sizeBytes: bytes.length,
      signedBy: certificate.subject.text,
    },
  );
}
