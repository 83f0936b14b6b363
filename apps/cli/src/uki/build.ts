// SPDX-License-Identifier: Apache-2.0
import { OutputFile } from '@vouchsafe/bytes/node';
import { buildUki, type UkiContents } from '@vouchsafe/pe';
import { requireDistinctOutputs } from '../outputs.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import {
  addOutputOptions,
  addSecureBootOptions,
  type OutputOptions,
  openSecureBootSigner,
  type SecureBootOptions,
} from './build-options.ts';
import { builtAnswer } from './built-answer.ts';
import { addContentOptions, type ContentOptions } from './content-options.ts';
import { measuredPhases } from './measured-phases.ts';
import { inputPaths, openContents, openStub } from './open-contents.ts';
import {
  addPolicyOptions,
  openPolicySigners,
  type PolicyOptions,
  type PolicySigner,
  publicKeyOf,
  withPolicies,
} from './pcr-policies.ts';
import { openWritten, signWritten } from './written-image.ts';

type BuildOptions = ContentOptions & PolicyOptions & SecureBootOptions & OutputOptions & { readonly measure?: true };

export const build: Verb = {
  define(command, session) {
    command.description(
      'Builds a unified kernel image: stub, kernel, initrds, command line and what else is to be measured, signed when there is a key. The same input gives the same file.',
    );
    addOutputOptions(addSecureBootOptions(addPolicyOptions(addContentOptions(command))))
      .option('--measure', 'print what PCR 11 will be')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe uki build --stub linuxx64.efi.stub --linux vmlinuz --initrd initrd.img --cmdline "root=LABEL=root ro" --os-release @os-release --uname 6.12.0 --key db.key --certificate db.crt -o uki.efi',
      )
      .action((options: BuildOptions) => run(session, options));
  },
};

async function run(session: Session, options: BuildOptions): Promise<void> {
  const { pcrPrivateKey: policyKeys = [], pcrCertificate } = options;
  requireDistinctOutputs([...inputPaths(options), ...policyKeys, pcrCertificate], [options.output]);
  session.whenInterrupted = 'nothing was left under a final name';
  using files = new DisposableStack();
  const stub = openStub(options, 'linux', files);
  const policySigners = await openPolicySigners(options);
  const contents = withPublicKey(openContents(options, files), policySigners);
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  const signer = await openSecureBootSigner(options);
  let { sizeBytes } = await buildUki(stub, contents, output, session.work);
  if (policySigners.length > 0) {
    // Over what was written, as all that comes before .pcrsig is as it was.
    const signed = await withPolicies(openWritten(output, sizeBytes), contents, policySigners);
    ({ sizeBytes } = await buildUki(stub, signed, output, session.work));
  }
  const phases = options.measure === undefined ? undefined : measuredPhases(openWritten(output, sizeBytes), options);
  if (signer !== undefined) {
    const time = options.signingTime === undefined ? {} : { signingTimeMs: options.signingTime };
    await signWritten(output, sizeBytes, { signer: signer.signer, ...time, ...session.work });
  }
  output.commit();
  if (options.linux !== undefined && options.osRelease === undefined) {
    session.note('without --os-release boot loaders do not list the image');
  }
  const { text, document } = builtAnswer(options.output, signer?.certificate);
  session.answer([...(phases?.lines ?? []), text].join('\n'), {
    ...document,
    ...(phases === undefined ? {} : { phases: phases.document }),
  });
}

function withPublicKey(contents: UkiContents, signers: readonly PolicySigner[]): UkiContents {
  const pcrpkey = contents.pcrpkey ?? publicKeyOf(signers);
  return pcrpkey === undefined ? contents : { ...contents, pcrpkey };
}
