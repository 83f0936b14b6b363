// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  describeUki,
  digestCoveredBySignature,
  digestMeasuredByFirmware,
  openPe,
  type PeFile,
  type UkiDescription,
} from '@vouchsafe/pe';
import { requireDistinctOutputs } from '../outputs.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type AuthenticodeDigests, descriptionText } from './description-text.ts';
import { sectionsOf, type WantedSection, wantedSection, writeSections } from './section-outputs.ts';

interface InspectOptions {
  readonly digests?: true;
  readonly section?: readonly WantedSection[];
  readonly force?: true;
}

export const inspect: Verb = {
  define(command, session) {
    command
      .description('Shows what a UKI, an addon, a stub or another PE file consists of. Nothing is verified.')
      .argument('<FILE>', 'file to look at')
      .option('--digests', 'digests of large sections and of the file too (SHA-256), which reads all of it')
      .option(
        '--section <name>',
        'this section alone; .initrd@FILE writes what is in it to FILE; may be repeated',
        wantedSection,
      )
      .option('--force', 'replace existing files')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe uki inspect linux.efi')
      .action((path: string, options: InspectOptions) => run(session, path, options));
  },
};

function run(session: Session, path: string, options: InspectOptions): void {
  const { section: wanted } = options;
  requireDistinctOutputs([path], wanted?.map((one) => one.path) ?? []);
  session.whenInterrupted = 'nothing was left under a final name';
  using source = FileSource.open(path);
  const pe = openPe(source);
  const isWhole = options.digests ?? false;
  const whole = describeUki(pe, isWhole ? { maxHashedBytes: Number.POSITIVE_INFINITY } : {});
  const description = wanted === undefined ? whole : withSections(pe, whole, wanted);
  writeSections(pe, wanted ?? [], options.force ?? false);
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

function withSections(pe: PeFile, description: UkiDescription, wanted: readonly WantedSection[]): UkiDescription {
  const names = new Set(wanted.flatMap((one) => sectionsOf(pe, one).map(({ name }) => name)));
  return { ...description, sections: description.sections.filter(({ name }) => names.has(name)) };
}
