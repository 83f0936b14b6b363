// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import type { Manifest } from '@vouchsafe/manifest';
import { describeManifest } from '../inspect/describe-text.ts';
import type { Differences } from './difference.ts';

/** Manifests down to the events that they predict. */
export function diffManifests(
  before: ByteSource,
  after: ByteSource,
  path: readonly string[],
  differences: Differences,
): void {
  const [earlier, later] = [manifestOf(before), manifestOf(after)];
  for (const field of ['name', 'version', 'architecture'] as const) {
    differences.compare(path, field, earlier[field], later[field]);
  }
  for (const listOf of [artefacts, roots, events, boots]) diffNamed(listOf(earlier), listOf(later), path, differences);
}

type Named = ReadonlyMap<string, string>;

function diffNamed(before: Named, after: Named, path: readonly string[], differences: Differences): void {
  for (const [name, value] of after) {
    const other = before.get(name);
    if (other === undefined) differences.added([...path, name], value);
    else differences.compare([...path, name], 'value', other, value);
  }
  for (const [name, value] of before) if (!after.has(name)) differences.removed([...path, name], value);
}

/** Each name once; a second of the same gets a number. */
function named(pairs: Iterable<readonly [name: string, value: string]>): Named {
  const all = new Map<string, string>();
  for (const [base, value] of pairs) {
    let name = base;
    for (let n = 2; all.has(name); n++) name = `${base} (${n})`;
    all.set(name, value);
  }
  return all;
}

function artefacts({ artefacts: all }: Manifest): Named {
  return named(
    all.map(({ path, kind, sizeBytes, sha256 }) => [path, `${kind}, ${sizeBytes} octets, sha256 ${sha256}`]),
  );
}

function roots({ roots: all }: Manifest): Named {
  return named(all.map(({ mount, algorithm, rootHash }) => [`root hash of ${mount}`, `${algorithm} ${rootHash}`]));
}

function events({ events: all }: Manifest): Named {
  return named(
    all.map(({ pcr, description, digests }) => {
      const text = Object.entries(digests).map(([bank, value]) => `${bank} ${value}`);
      return [`PCR ${pcr}: ${description}`, text.join(' ')];
    }),
  );
}

/** Where the machine boots differently: the values at the end of each way. */
function boots({ boots: all }: Manifest): Named {
  return named(
    all.flatMap(({ condition, phases }) => {
      const { secureBoot, loader, profile } = condition;
      return phases.map(({ phase, pcrs }): [string, string] => [
        `Secure Boot ${secureBoot}, loader ${loader}, profile ${profile}, phase ${phase === '' ? 'kernel' : phase}`,
        JSON.stringify(pcrs),
      ]);
    }),
  );
}

function manifestOf(source: ByteSource): Manifest {
  const head = { label: source.label, sizeBytes: source.size };
  return describeManifest(readBytes(source, 0, source.size), head).manifest;
}
