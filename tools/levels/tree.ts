// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readSyntax, type Syntax } from './syntax.ts';

/** A workspace member. */
export interface Member {
  /** Its folder, from the root: `packages/base`. */
  readonly folder: string;
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** Entry (`.`, `./node`) to target (`src/index.ts`); of several conditions the browser's comes first. */
  readonly exports: ReadonlyMap<string, ExportTarget>;
}

export interface ExportTarget {
  /** What a browser, and so each pure file, gets. */
  readonly pure: string;
  readonly all: readonly string[];
}

/** A TypeScript or JavaScript file. */
export interface SourceFile {
  /** From the root. */
  readonly path: string;
  /** The member it belongs to; tools and files of the root have none. */
  readonly member: Member | undefined;
  /** From the member's folder, or from the root. */
  readonly inner: string;
  readonly text: string;
  readonly syntax: Syntax;
}

/** A file that only the rules of layout look at: shell scripts. */
export interface ScriptFile {
  readonly path: string;
  readonly text: string;
}

export interface Tree {
  readonly members: readonly Member[];
  /** What the root's manifest lists: tools may import these, and tests of every member. */
  readonly rootDependencies: ReadonlySet<string>;
  readonly sources: readonly SourceFile[];
  readonly scripts: readonly ScriptFile[];
  /** Undefined when the file does not exist. */
  readonly architecture: string | undefined;
}

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly exports?: Record<string, string | Record<string, string>>;
}

const EXCLUDED = new Set(['node_modules', 'testdata', 'dist', '.cache', '.git']);

/** Reads the workspace under `root`. */
export function readTree(root: string): Tree {
  const members = globSync(['packages/*/package.json', 'apps/*/package.json', 'lab/package.json'], { cwd: root })
    .map((path) => readMember(root, dirname(path)))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
  const exclude = (path: string): boolean => EXCLUDED.has(basename(path));
  const find = (...patterns: string[]): string[] => globSync(patterns, { cwd: root, exclude }).sort();
  const manifest = readManifest(join(root, 'package.json'));
  const architecture = join(root, 'ARCHITECTURE.md');
  return {
    members,
    rootDependencies: new Set(
      [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((d) =>
        Object.keys(d ?? {}),
      ),
    ),
    sources: find('{packages,apps,tools,lab,examples}/**/*.{ts,tsx,mts,js,mjs}').map((path) =>
      readSource(root, path, members),
    ),
    scripts: find('vouchsafe', '.ci/run', '{packages,apps,tools,lab}/**/*.{sh,pl}').map((path) => ({
      path,
      text: readFileSync(join(root, path), 'utf8'),
    })),
    architecture: existsSync(architecture) ? readFileSync(architecture, 'utf8') : undefined,
  };
}

function readManifest(path: string): Manifest {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {};
}

function readMember(root: string, folder: string): Member {
  const manifest = readManifest(join(root, folder, 'package.json'));
  const targets = Object.entries(manifest.exports ?? {}).map(([entry, target]): [string, ExportTarget] => {
    const conditions = typeof target === 'string' ? { default: target } : target;
    const all = Object.values(conditions).map((path) => path.replace(/^\.\//, ''));
    return [entry, { pure: (conditions.browser ?? conditions.default ?? '').replace(/^\.\//, ''), all }];
  });
  return {
    folder,
    name: manifest.name ?? folder,
    dependencies: new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })),
    devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
    exports: new Map(targets),
  };
}

function readSource(root: string, path: string, members: readonly Member[]): SourceFile {
  const member = members.find((m) => path.startsWith(`${m.folder}/`));
  const text = readFileSync(join(root, path), 'utf8');
  const inner = member === undefined ? path : path.slice(member.folder.length + 1);
  return { path, member, inner, text, syntax: readSyntax(path, text) };
}
