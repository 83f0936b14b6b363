// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { type SizeReport, sizeReport, treemapSvg } from '@vouchsafe/image';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { sizesText } from './sizes-text.ts';

interface ReportOptions {
  readonly svg?: string;
  readonly top: number;
  readonly force?: true;
}

export const report: Verb = {
  define(command, session) {
    command
      .description(
        'Says what takes the space of an image: partitions, folders, sections of programs, the largest files and packages. Sizes are those in the image: compressed, and once for what is there twice.',
      )
      .argument('<FILE...>', 'disk, EROFS or FAT file system, UKI or other program for UEFI')
      .option('--svg <file>', 'a picture of it: a treemap; - for standard output')
      .option('--top <number>', 'how many files and packages are listed', wholeNumber, 15)
      .option('--force', 'replace a picture that exists')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe image report disk.raw --svg sizes.svg')
      .action((paths: readonly string[], options: ReportOptions) => run(session, paths, options));
  },
};

function run(session: Session, paths: readonly string[], options: ReportOptions): void {
  const { svg, top, force } = options;
  if (svg !== undefined && paths.length > 1) throw new UsageError('--svg: a picture is of one file');
  requireDistinctOutputs(paths, [svg]);
  using output = svg === undefined ? undefined : openSmallOutput(session, svg, { option: '--svg', force });
  const reports = paths.map((path) => {
    using source = FileSource.open(path);
    return sizeReport(source);
  });
  output?.commit(utf8(treemapSvg((reports[0] as SizeReport).whole)));
  session.answer(
    reports.map((found) => printable(sizesText(found, top))).join('\n\n'),
    reports.map(({ whole, files, packages }, i) => ({
      file: paths[i],
      whole,
      files: files.slice(0, top),
      packages: packages.slice(0, top),
    })),
  );
}
