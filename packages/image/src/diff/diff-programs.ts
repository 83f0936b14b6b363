// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { describeUki, openPe, PeError, type SectionDescription, type UkiDescription } from '@vouchsafe/pe';
import { sha256Of } from '../inspect/sha256-of.ts';
import type { Differences } from './difference.ts';

/** What two programs, UKIs above all, consist of: sections by profile, signatures, and what headers say. */
export function diffPrograms(
  before: ByteSource,
  after: ByteSource,
  path: readonly string[],
  differences: Differences,
): void {
  const [earlier, later] = [describe(before), describe(after)];
  const found = differences.list.length + differences.further;
  if (earlier !== undefined && later !== undefined) diffDescriptions(earlier, later, path, differences);
  // What is in no section, or is no program at all.
  if (differences.list.length + differences.further > found) return;
  differences.compare(path, 'content', `sha256 ${sha256Of(before)}`, `sha256 ${sha256Of(after)}`);
}

function describe(source: ByteSource): UkiDescription | undefined {
  try {
    return describeUki(openPe(source), { maxHashedBytes: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    return undefined;
  }
}

function diffDescriptions(
  before: UkiDescription,
  after: UkiDescription,
  path: readonly string[],
  differences: Differences,
): void {
  const compare = (field: string, of: (d: UkiDescription) => unknown): void =>
    differences.compare(path, field, String(of(before) ?? 'none'), String(of(after) ?? 'none'));
  compare('kind', ({ kind }) => kind);
  compare('machine', ({ machine }) => machine);
  compare('stub', ({ stub }) => stub && `${stub.product} ${stub.version}`);
  compare('memory protection (NX)', ({ isNxCompatible }) => isNxCompatible);
  compare('signatures', signaturesText);
  const earlier = sectionsByName(before);
  for (const [name, section] of sectionsByName(after)) {
    const other = earlier.get(name);
    earlier.delete(name);
    const here = [...path, name];
    if (other === undefined) differences.added(here, sectionText(section));
    else differences.compare(here, 'content', sectionText(other), sectionText(section));
  }
  for (const [name, section] of earlier) differences.removed([...path, name], sectionText(section));
}

function signaturesText({ signatures }: UkiDescription): string {
  const texts = signatures.map(({ error, digest, signers }) => {
    return (
      error ?? `${digest?.algorithm} ${digest?.value} by ${signers.map(({ identifier }) => identifier).join(', ')}`
    );
  });
  return texts.join('; ') || 'none';
}

/** Sections that stand several times get a number, as .dtbauto may. */
function sectionsByName({ sections }: UkiDescription): Map<string, SectionDescription> {
  const named = new Map<string, SectionDescription>();
  for (const section of sections) {
    const base = section.profile === undefined ? section.name : `${section.name} of profile ${section.profile}`;
    let name = base;
    for (let n = 2; named.has(name); n++) name = `${base} (${n})`;
    named.set(name, section);
  }
  return named;
}

/** Text as it stands, and the rest by size and digest. */
function sectionText({ text, sizeBytes, digests }: SectionDescription): string {
  if (text !== undefined && text.length <= 4096) return text.replace(/[\n\0]+$/, '');
  return `${sizeBytes} octets, sha256 ${digests?.['sha256'] ?? 'unknown'}`;
}
