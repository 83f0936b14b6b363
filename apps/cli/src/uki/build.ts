// SPDX-License-Identifier: Apache-2.0

import { utf8 } from '@vouchsafe/base';
import { OutputFile } from '@vouchsafe/bytes/node';
import { buildUki, checkUki, type PeFile, type UkiContents } from '@vouchsafe/pe';
import { formatPem, type Signer } from '@vouchsafe/pki';
import { requireDistinctOutputs } from '../outputs.ts';
import { textOrFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { addOutputOptions, addSecureBootOptions, openSecureBootSigner } from './build-options.ts';
import type { BuildOptions } from './build-settings.ts';
import { builtAnswer } from './built-answer.ts';
import { withConfigFile } from './config-file.ts';
import { addContentOptions } from './content-options.ts';
import { requirePoliciesOf } from './given-policies.ts';
import { measuredPhases, policyDigests } from './measured-phases.ts';
import { inputPaths, openContents, openStub } from './open-contents.ts';
import {
  addPolicyOptions,
  openPolicySigners,
  type PolicySigner,
  publicKeyOf,
  readPublicKey,
  withPolicies,
} from './pcr-policies.ts';
import { signedKernel } from './signed-kernel.ts';
import { openWritten, signWritten } from './written-image.ts';

export const build: Verb = {
  define(command, session) {
    command.description(
      'Builds a unified kernel image: stub, kernel, initrds, command line and what else is to be measured, signed when there is a key. The same input gives the same file.',
    );
    addOutputOptions(addSecureBootOptions(addPolicyOptions(addContentOptions(command))))
      .option('--config <file>', "settings by the keys of ukify's configuration; what is said here as well goes first")
      .option('--pcrsig <text>', 'PCR policies that were signed elsewhere, JSON, or @ and the name of a file')
      .option('--measure', 'print what PCR 11 will be')
      .option('--policy-digest', 'print the PCR policies to be signed elsewhere, for --pcrsig of the same build')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe uki build --stub linuxx64.efi.stub --linux vmlinuz --initrd initrd.img --cmdline "root=LABEL=root ro" --os-release @os-release --uname 6.12.0 --key db.key --certificate db.crt -o uki.efi',
      )
      .action((options: BuildOptions) => run(session, options));
  },
};

async function run(session: Session, given: BuildOptions): Promise<void> {
  const options = withConfigFile(given);
  requireSense(options);
  requireDistinctOutputs([...inputPaths(options), ...policyPaths(options)], [options.output]);
  session.whenInterrupted = 'nothing was left under a final name';
  using files = new DisposableStack();
  const stub = openStub(options, 'linux', files);
  const policySigners = await openPolicySigners(options);
  const secureBoot = await openSecureBootSigner(options);
  const signing = secureBoot === undefined ? undefined : signingOf(secureBoot, options, session);
  let contents = withPolicyInputs(openContents(options, files), options, policySigners);
  if (options.signKernel !== undefined && signing !== undefined && contents.linux !== undefined) {
    contents = { ...contents, linux: await signedKernel(contents.linux, options.output, signing, files) };
  }
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  let { sizeBytes } = await buildUki(stub, contents, output, session.work);
  requirePoliciesOf(openWritten(output, sizeBytes), contents, { phases: options.phases?.flat() });
  if (policySigners.length > 0) {
    // Over what was written, as all that comes before .pcrsig is as it was.
    const uki = openWritten(output, sizeBytes);
    const signed = await withPolicies(uki, contents, policySigners, options.signProfile);
    ({ sizeBytes } = await buildUki(stub, signed, output, session.work));
  }
  const uki = openWritten(output, sizeBytes);
  const phases = options.measure === undefined ? undefined : measuredPhases(uki, options);
  const policies = options.policyDigest === undefined ? undefined : policyDigests(uki, options);
  if (signing !== undefined) await signWritten(output, sizeBytes, signing);
  noteProblems(session, uki);
  output.commit();
  if (options.linux !== undefined && options.osRelease === undefined) {
    session.note('without --os-release boot loaders do not list the image');
  }
  const { text, document } = builtAnswer(options.output, secureBoot?.certificate);
  session.answer([...(phases?.lines ?? []), ...(policies?.lines ?? []), text].join('\n'), {
    ...document,
    ...(phases === undefined ? {} : { phases: phases.document }),
    ...(policies === undefined ? {} : { policies: policies.document }),
  });
}

/** What can be told of the image by itself: a kernel that is none, or another machine's, is found before the first boot. */
function noteProblems(session: Session, uki: PeFile): void {
  for (const { severity, where, code, hint } of checkUki(uki)) {
    if (severity === 'error') session.note(printable(`it will not boot: ${where.path ?? ''} ${code}: ${hint}`));
  }
}

/** What does not go together. */
function requireSense({ signKernel, linux, pcrsig, joinProfile, ...options }: BuildOptions): void {
  if (linux === undefined)
    throw new UsageError('--linux is missing: name the kernel (what has none is made by uki addon)');
  const hasPolicyKey = options.pcrPrivateKey !== undefined || options.pcrSignCommand !== undefined;
  if (signKernel !== undefined && options.securebootCertificate === undefined) {
    throw new UsageError('--sign-kernel goes with what signs: --secureboot-private-key and its certificate');
  }
  if (pcrsig !== undefined && (hasPolicyKey || joinProfile !== undefined)) {
    throw new UsageError('--pcrsig is for the policies of one profile, and instead of a key that signs them');
  }
  if (options.signProfile !== undefined && !hasPolicyKey) {
    throw new UsageError('--sign-profile goes with --pcr-private-key or --pcr-sign-command');
  }
}

function policyPaths({ pcrPrivateKey = [], pcrPublicKey = [], pcrCertificate, pcrsig, config }: BuildOptions) {
  return [
    config,
    ...pcrPrivateKey,
    ...pcrPublicKey,
    pcrCertificate,
    pcrsig?.startsWith('@') ? pcrsig.slice(1) : undefined,
  ];
}

function signingOf({ signer }: { readonly signer: Signer }, { signingTime }: BuildOptions, session: Session) {
  return { signer, ...(signingTime === undefined ? {} : { signingTimeMs: signingTime }), ...session.work };
}

/** The key that systems will look for, and policies that it has signed elsewhere. */
function withPolicyInputs(contents: UkiContents, options: BuildOptions, signers: readonly PolicySigner[]): UkiContents {
  const [publicKey, ...more] = options.pcrPublicKey ?? [];
  const elsewhere =
    signers.length > 0 || publicKey === undefined || more.length > 0
      ? undefined
      : utf8(formatPem('PUBLIC KEY', readPublicKey(publicKey)));
  const pcrpkey = contents.pcrpkey ?? publicKeyOf(signers) ?? elsewhere;
  return {
    ...contents,
    ...(pcrpkey === undefined ? {} : { pcrpkey }),
    ...(options.pcrsig === undefined ? {} : { pcrsig: textOrFile(options.pcrsig) }),
  };
}
