// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { compile } from './compile.ts';
import { inputsOf } from './inputs.ts';
import { lazyBuiltins } from './lazy-builtins.ts';
import { encodeProgramFile } from './program-file.ts';
import { sourceUrls, type Threads } from './source-urls.ts';
import { sourcesOf } from './sources.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = join(ROOT, 'apps/cli/src');
const MAIN = join(SOURCES, 'main.ts');
const LOADER = join(ROOT, 'tools/bundle/loader.ts');
/** Where the verbs are loaded from. */
const TABLES: ReadonlySet<string> = new Set(['noun.ts', 'operator-nouns.ts'].map((file) => join(SOURCES, file)));

const OPTIONS: BuildOptions = {
  bundle: true,
  // CommonJS starts some milliseconds sooner than modules do.
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minifyWhitespace: true,
  minifySyntax: true,
  // Programs are kept as a character an octet.
  charset: 'ascii',
  // What stays apart is loaded by the loader, with require.
  supported: { 'dynamic-import': false },
  write: false,
  logLevel: 'warning',
  absWorkingDir: ROOT,
};

/** The name of a source's program or part: `verity/format.ts` is `verity.format`. */
function programName(source: string): string {
  return relative(SOURCES, source).replace(/\.ts$/, '').replaceAll('/', '.');
}

/**
 * Into the program of a verb goes that verb; the others stay out. In the table it is imported like any other module: one that
 * may be loaded later is kept whole, and all that it imports. What else is loaded when it is asked for becomes a part of its
 * own; `parts` gets its source.
 */
function dynamicImports(name: string, parts: Set<string>): Plugin {
  return {
    name: 'dynamic-imports',
    setup(plugin) {
      plugin.onResolve({ filter: /^\./ }, ({ path, kind, importer }) => {
        if (kind !== 'dynamic-import') return undefined;
        const source = resolve(dirname(importer), path);
        if (!TABLES.has(importer)) parts.add(source);
        return { path: `./${programName(source)}`, external: true };
      });
      plugin.onLoad({ filter: /-?nouns?\.ts$/ }, ({ path }) =>
        TABLES.has(path) ? { contents: tableWith(path, name), loader: 'ts' } : undefined,
      );
    },
  };
}

const LOADED = /import\('(\.\/[^']+)'\)/g;

/** The table of verbs, in which the named one is there from the start. */
function tableWith(path: string, name: string): string {
  const text = readFileSync(path, 'utf8');
  const [, specifier] =
    [...text.matchAll(LOADED)].find(([, one = '']) => programName(resolve(dirname(path), one)) === name) ?? [];
  if (specifier === undefined) return text;
  return `import * as verb from '${specifier}';\n${text.replace(`import('${specifier}')`, 'verb')}`;
}

interface Made {
  readonly text: string;
  readonly sources: readonly string[];
}

async function bundle(entryPoint: string, plugins: readonly Plugin[], options: BuildOptions = {}): Promise<Made> {
  const wanted = { ...OPTIONS, ...options, entryPoints: [entryPoint], plugins: [...plugins] };
  const made = await build(wanted);
  const { metafile } = await build({ ...wanted, metafile: true, minifySyntax: false, logLevel: 'silent' });
  return { text: made.outputFiles?.[0]?.text ?? '', sources: sourcesOf(ROOT, metafile) };
}

/**
 * Writes the program of a verb to a folder, with its parts and threads, and the loader.
 * @param name `NOUN.VERB`; `main` for the overview.
 */
export async function bundleCommand(outFolder: string, name: string): Promise<void> {
  const startedMs = Date.now();
  await mkdir(outFolder, { recursive: true });
  const draft = await mkdtemp(join(outFolder, '.draft-'));
  try {
    const program = `${name}.program`;
    const threads: Threads = new Map();
    const parts = new Set([MAIN]);
    const programs = new Map<string, Made>();
    for (const source of parts) {
      const plugins = [dynamicImports(name, parts), lazyBuiltins, sourceUrls(outFolder, threads)];
      programs.set(source === MAIN ? program : `${programName(source)}.part`, await bundle(source, plugins));
    }
    const scripts = new Map<string, Made>();
    for (const [source, file] of threads) {
      scripts.set(file, await bundle(source, [lazyBuiltins, sourceUrls(outFolder, threads)]));
    }
    const define = { TO_ROOT: JSON.stringify(relative(outFolder, ROOT)) };
    scripts.set('main.cjs', await bundle(LOADER, [], { define, supported: {} }));

    const scriptSources = [...scripts.values()].flatMap(({ sources }) => sources);
    for (const [file, { text }] of scripts) await writeFile(join(draft, file), text);
    for (const [file, { text, sources }] of programs) {
      // Each for itself: a part is looked at when it is loaded.
      const inputs = inputsOf(ROOT, [...sources, ...scriptSources], startedMs);
      await writeFile(join(draft, file), encodeProgramFile({ inputs, ...compile(text, join(outFolder, file)) }));
    }
    // The program last: where it is, all is.
    for (const file of [...scripts.keys(), ...[...programs.keys()].filter((one) => one !== program), program]) {
      await rename(join(draft, file), join(outFolder, file));
    }
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
