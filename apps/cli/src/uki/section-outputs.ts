// SPDX-License-Identifier: Apache-2.0
// Sections of an image that are shown alone, or written to files of their own; by ukify's inspect --section.
import { commitTogether, OutputFile } from '@vouchsafe/bytes/node';
import { type ImageSectionHeader, type PeFile, sectionSource } from '@vouchsafe/pe';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { collect } from '../parse.ts';
import { UsageError } from '../usage-error.ts';

/** A section that was asked for, and where its content goes, if anywhere. */
export interface WantedSection {
  readonly name: string;
  readonly path: string | undefined;
}

/** NAME, or NAME@FILE; ukify's NAME:text@FILE and NAME:binary@FILE too, whose words change nothing about the content. */
export function wantedSection(text: string, earlier?: readonly WantedSection[]): readonly WantedSection[] {
  const [, name, path] = /^([^:@]+)(?::text|:binary)?(?:@(.+))?$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Expected NAME or NAME@FILE.');
  return collect({ name, path }, earlier);
}

/** The sections of that name; of several profiles each has its own. */
export function sectionsOf(pe: PeFile, { name }: WantedSection): readonly ImageSectionHeader[] {
  const found = pe.sections.filter((section) => section.name === name);
  if (found.length > 0) return found;
  const names = [...new Set(pe.sections.map((section) => section.name))].join(' ');
  throw new UsageError(`--section ${name}: the file has none of that name, but ${names}`);
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Writes what was asked for, all of it or nothing.
 * @throws {UsageError} for a section that stands there more than once: which one is meant cannot be said.
 */
export function writeSections(pe: PeFile, wanted: readonly WantedSection[], force: boolean): void {
  using files = new DisposableStack();
  const outputs: OutputFile[] = [];
  for (const one of wanted) {
    if (one.path === undefined) continue;
    const [section, ...more] = sectionsOf(pe, one);
    if (section === undefined || more.length > 0) {
      throw new UsageError(
        `--section ${one.name}@: the file has ${more.length + 1} of that name; it is not known which one is meant`,
      );
    }
    const output = files.use(OutputFile.create(one.path, { force }));
    copySection(pe, section, output);
    outputs.push(output);
  }
  commitTogether(outputs);
}

/** As a stub measures it: VirtualSize octets. */
function copySection(pe: PeFile, section: ImageSectionHeader, output: OutputFile): void {
  const source = sectionSource(pe, section);
  // A header may claim gigabytes that the file does not have; zeros behind the file's octets become a hole at most.
  const size = Math.min(section.virtualSize, section.sizeOfRawData);
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - at));
    source.read(at, chunk);
    output.write(at, chunk);
  }
}
