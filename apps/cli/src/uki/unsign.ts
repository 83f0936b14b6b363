// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { openPe, readCertificateTable, removeSignatures } from '@vouchsafe/pe';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { addOutputOptions, type OutputOptions } from './build-options.ts';

interface UnsignOptions extends OutputOptions {
  readonly signature?: number;
}

export const unsign: Verb = {
  define(command, session) {
    command
      .description('Takes signatures off a UKI, a kernel, a boot loader or another PE file: all of them, or one.')
      .argument('<FILE>', 'file with signatures');
    addOutputOptions(command)
      .option('--signature <number>', 'this one alone, from 1, as uki inspect counts them', wholeNumber)
      .addHelpText('after', '\nExample:\n  vouchsafe uki unsign linux.signed.efi -o linux.unsigned.efi')
      .action((path: string, options: UnsignOptions) => run(session, path, options));
  },
};

async function run(session: Session, path: string, { signature, output: to, force }: UnsignOptions): Promise<void> {
  // The file itself may be the output: with --force what is written takes its place when it is complete.
  session.whenInterrupted = 'nothing was left under a final name';
  using source = FileSource.open(path);
  const pe = openPe(source);
  const count = readCertificateTable(pe).length;
  if (signature !== undefined && (signature < 1 || signature > count)) {
    throw new UsageError(`--signature ${signature}: the file has ${count === 0 ? 'none' : `1 to ${count}`}`);
  }
  using output = OutputFile.create(to, { force: force ?? false });
  const isRemoved = (index: number): boolean => signature === undefined || index === signature - 1;
  await removeSignatures(pe, output, isRemoved, session.work);
  output.commit();
  const removed = signature === undefined ? count : 1;
  const sizeBytes = statSync(to).size;
  session.answer(`${to}: ${sizeBytes} octets, ${removed} of ${count} signatures removed`, {
    output: to,
    sizeBytes,
    removed,
    signatures: count - removed,
  });
}
