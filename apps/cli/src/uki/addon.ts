// SPDX-License-Identifier: Apache-2.0
import { OutputFile } from '@vouchsafe/bytes/node';
import { buildUki } from '@vouchsafe/pe';
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
import { type AddonOptions, addAddonOptions } from './content-options.ts';
import { inputPaths, openContents, openStub } from './open-contents.ts';
import { signWritten } from './written-image.ts';

type AddonVerbOptions = AddonOptions & SecureBootOptions & OutputOptions;

export const addon: Verb = {
  define(command, session) {
    command.description(
      'Builds an addon: command line, device tree, microcode or initrds that a stub adds to those of its image.',
    );
    addOutputOptions(addSecureBootOptions(addAddonOptions(command)))
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe uki addon --stub addonx64.efi.stub --cmdline "quiet splash" --key db.key --certificate db.crt -o quiet.addon.efi',
      )
      .action((options: AddonVerbOptions) => run(session, options));
  },
};

async function run(session: Session, options: AddonVerbOptions): Promise<void> {
  requireDistinctOutputs(inputPaths(options), [options.output]);
  session.whenInterrupted = 'nothing was left under a final name';
  using files = new DisposableStack();
  const stub = openStub(options, 'addon', files);
  const contents = openContents(options, files);
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  const signer = await openSecureBootSigner(options);
  const { sizeBytes } = await buildUki(stub, contents, output, session.work);
  if (signer !== undefined) {
    const time = options.signingTime === undefined ? {} : { signingTimeMs: options.signingTime };
    await signWritten(output, sizeBytes, { signer: signer.signer, ...time, ...session.work });
  }
  output.commit();
  const { text, document } = builtAnswer(options.output, signer?.certificate);
  session.answer(text, document);
}
