// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import { type ByteSource, BytesError } from '@vouchsafe/bytes';
import { contentTree } from '../extract/content-tree.ts';
import { describeArtefact } from '../inspect/describe-artefact.ts';
import type { ArtefactDescription } from '../inspect/description.ts';
import { type ArtefactKind, recogniseArtefact } from '../inspect/recognise.ts';
import { diffDisks } from './diff-disks.ts';
import { diffManifests } from './diff-manifests.ts';
import { diffPrograms } from './diff-programs.ts';
import { areEqual, diffContents, diffTrees } from './diff-trees.ts';
import { type Difference, Differences } from './difference.ts';

export interface DiffOptions {
  /** Differences that are listed at most; all are counted. */
  readonly maxListed: number;
}

export interface ArtefactDiff {
  readonly areSame: boolean;
  readonly differences: readonly Difference[];
  /** Found beyond those that are listed. */
  readonly further: number;
}

/**
 * What changed from one artefact to another: partitions, files, sections, root hashes, events.
 * @throws what the formats' readers throw. @throws {BytesError}
 */
export function diffArtefacts(before: ByteSource, after: ByteSource, options: DiffOptions): ArtefactDiff {
  const differences = new Differences(options.maxListed);
  diffSources(before, after, [], differences);
  const { list, further } = differences;
  return { areSame: list.length === 0 && further === 0, differences: list, further };
}

/** Two sources of whatever kind. What cannot be read as its kind is compared by its octets. */
function diffSources(before: ByteSource, after: ByteSource, path: readonly string[], differences: Differences): void {
  const [earlier, later] = [recogniseArtefact(before), recogniseArtefact(after)];
  if (earlier !== later) {
    differences.compare(path, 'kind', earlier, later);
    return;
  }
  if (areEqual(before, after)) return;
  const found = differences.list.length + differences.further;
  try {
    diffSame(earlier, before, after, path, differences);
  } catch (error) {
    // At the top it is for the user; inside, one partition must not hide the others.
    if (path.length === 0 || !isVouchsafeError(error) || error instanceof BytesError) throw error;
  }
  // Something differs that is nowhere above: what lies between files, or a time in a header.
  if (differences.list.length + differences.further === found) diffContents(before, after, path, differences);
}

function diffSame(
  kind: ArtefactKind,
  before: ByteSource,
  after: ByteSource,
  path: readonly string[],
  differences: Differences,
): void {
  switch (kind) {
    case 'disk':
      diffDisks(before, after, path, differences, (one, two, here) => diffSources(one, two, here, differences));
      break;
    case 'pe':
      diffPrograms(before, after, path, differences);
      break;
    case 'erofs':
    case 'fat':
    case 'initrd':
      if (kind !== 'initrd') diffFields(before, after, path, differences);
      diffTrees(contentTree(before), contentTree(after), path, differences);
      break;
    case 'manifest':
      diffManifests(before, after, path, differences);
      break;
    case 'verity-hash':
    case 'verity-signature':
    case 'swap':
      diffFields(before, after, path, differences);
      break;
    default:
  }
}

/** What a description says in a word; what it lists is compared elsewhere. */
function diffFields(before: ByteSource, after: ByteSource, path: readonly string[], differences: Differences): void {
  const [earlier, later] = [before, after].map((source) => fieldsOf(describeArtefact(source, { allDigests: false })));
  for (const [field, value] of earlier as Map<string, string>) {
    differences.compare(path, field, value, (later as Map<string, string>).get(field) ?? 'none');
  }
}

/** Names of the file say nothing about the content, and of that digests say nothing that is not said better. */
const NOT_FIELDS: ReadonlySet<string> = new Set(['kind', 'label', 'sizeBytes', 'sha256']);

function fieldsOf(description: ArtefactDescription): Map<string, string> {
  return new Map(
    Object.entries(description).flatMap(([field, value]): [string, string][] => {
      const isWord = typeof value === 'string' || typeof value === 'number';
      return isWord && !NOT_FIELDS.has(field) ? [[field, String(value)]] : [];
    }),
  );
}
