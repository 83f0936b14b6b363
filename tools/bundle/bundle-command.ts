// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';
import { threadPaths } from './thread-paths.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = join(ROOT, 'apps/cli/src');
const MAIN = join(SOURCES, 'main.ts');

/** The name of a source's bundle: `verity/format.ts` is `verity-format.cjs`. */
function bundleName(source: string): string {
  const path = source.startsWith(`${SOURCES}/`) ? relative(SOURCES, source) : basename(source);
  return path.replace(/\.ts$/, '').replaceAll('/', '-');
}

/** What is loaded when it is asked for becomes a bundle of its own; `found` gets its source. */
function splitAtDynamicImports(found: Set<string>): Plugin {
  return {
    name: 'split-at-dynamic-imports',
    setup(plugin) {
      plugin.onResolve({ filter: /^\./ }, ({ path, kind, importer }) => {
        if (kind !== 'dynamic-import') return undefined;
        const source = resolve(dirname(importer), path);
        found.add(source);
        return { path: `./${bundleName(source)}.cjs`, external: true };
      });
    },
  };
}

async function bundle(name: string, entryPoint: string, outdir: string, plugins: readonly Plugin[]): Promise<void> {
  await build({
    entryPoints: { [name]: entryPoint },
    bundle: true,
    // CommonJS starts some milliseconds sooner than modules do.
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    outdir,
    outExtension: { '.js': '.cjs' },
    plugins: [...plugins],
    logLevel: 'warning',
    absWorkingDir: ROOT,
  });
}

/** Writes the program to a folder. Its main file comes last, since the launcher looks at that one's time. */
export async function bundleCommand(outFolder: string): Promise<void> {
  await mkdir(outFolder, { recursive: true });
  const draft = await mkdtemp(join(outFolder, '.draft-'));
  try {
    const found = new Set([MAIN]);
    for (const source of found) {
      await bundle(bundleName(source), source, draft, [splitAtDynamicImports(found), lazyBuiltins, threadPaths(found)]);
    }
    const names = (await readdir(draft)).filter((name) => name !== 'main.cjs');
    for (const name of [...names, 'main.cjs']) await rename(join(draft, name), join(outFolder, name));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
