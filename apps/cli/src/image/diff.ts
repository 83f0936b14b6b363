// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import { type Difference, diffArtefacts } from '@vouchsafe/image';
import { EXIT } from '../exit-code.ts';
import { wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

/** More are counted; --max lists them. */
const DEFAULT_MAX = 1000;

export const diff: Verb = {
  define(command, session) {
    command
      .description(
        'Says what changed from one file to another of its kind: partitions and root hashes of disks, files of file systems, sections of UKIs, events of manifests.',
      )
      .argument('<A>', 'the earlier one')
      .argument('<B>', 'the later one')
      .option('--max <number>', `differences to list (default: ${DEFAULT_MAX})`, wholeNumber)
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExits with 0 when they are the same, 1 when they are not.\n\nExample:\n  vouchsafe image diff os_1.0.raw os_1.1.raw',
      )
      .action((a: string, b: string, options: { readonly max?: number }) =>
        run(session, a, b, options.max ?? DEFAULT_MAX),
      );
  },
};

function run(session: Session, beforePath: string, afterPath: string, maxListed: number): void {
  using before = FileSource.open(beforePath);
  using after = FileSource.open(afterPath);
  const result = diffArtefacts(before, after, { maxListed });
  if (!result.areSame) session.exitCode = EXIT.no;
  const lines = result.differences.flatMap(differenceLines);
  if (result.further > 0) lines.push(`… and ${result.further} more; --max lists them`);
  session.answer(printable(result.areSame ? 'no difference' : lines.join('\n')), result);
}

function differenceLines({ path, field, before, after }: Difference): string[] {
  const place = path.join(', ');
  if (field === undefined) return [after === undefined ? `- ${place}: ${before}` : `+ ${place}: ${after}`];
  return [`~ ${place}${place === '' ? '' : ': '}${field}`, ...shown('-', before), ...shown('+', after)];
}

function shown(sign: string, value: string | undefined): string[] {
  return (value ?? '').split('\n').map((line) => `    ${sign} ${line}`);
}
