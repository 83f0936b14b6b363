// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { describeUki, digestCoveredBySignature, digestMeasuredByFirmware, openPe } from '@vouchsafe/pe';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type AuthenticodeDigests, descriptionText } from './description-text.ts';

interface InspectOptions {
  readonly digests?: true;
}

export const inspect: Verb = {
  define(command, session) {
    command
      .description('Shows what a UKI, an addon, a stub or another PE file consists of. Nothing is verified.')
      .argument('<FILE>', 'file to look at')
      .option('--digests', 'digests of large sections and of the file too (SHA-256), which reads all of it')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe uki inspect linux.efi')
      .action((path: string, options: InspectOptions) => run(session, path, options));
  },
};

function run(session: Session, path: string, options: InspectOptions): void {
  using source = FileSource.open(path);
  const pe = openPe(source);
  const isWhole = options.digests ?? false;
  const description = describeUki(pe, isWhole ? { maxHashedBytes: Number.POSITIVE_INFINITY } : {});
  const authenticode: AuthenticodeDigests | undefined = isWhole
    ? {
        measuredByFirmware: toHex(digestMeasuredByFirmware(pe, 'sha256')),
        coveredBySignature: toHex(digestCoveredBySignature(pe, 'sha256')),
      }
    : undefined;
  session.answer(
    descriptionText(description, authenticode),
    authenticode === undefined ? description : { ...description, authenticode: { sha256: authenticode } },
  );
}
