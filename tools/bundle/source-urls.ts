// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

const THREAD = /new URL\('\.\/([a-z-]+-worker)\.ts', import\.meta\.url\)/g;
const SOURCE_URL = /\bimport\.meta\.url\b/g;

/** Programs of threads: their sources, and the files that they become. */
export type Threads = Map<string, string>;

/**
 * `import.meta.url` stays the address of the source, from where files beside it are found. A thread's program, which is
 * named that way too, is the file that it becomes; `threads` gets it.
 */
export function sourceUrls(outFolder: string, threads: Threads): Plugin {
  return {
    name: 'source-urls',
    setup(plugin) {
      plugin.onLoad({ filter: /\/(?:packages|apps|lab\/src)\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        if (!source.includes('import.meta.url')) return undefined;
        const contents = source
          .replace(THREAD, (_, name: string) => {
            const thread = `${name}.cjs`;
            threads.set(join(dirname(path), `${name}.ts`), thread);
            return `(__dirname + '/${thread}')`;
          })
          .replace(SOURCE_URL, () => {
            const place = JSON.stringify(`/${relative(outFolder, path)}`);
            return `process.getBuiltinModule('url').pathToFileURL(__dirname + ${place}).href`;
          });
        return { contents, loader: 'ts' };
      });
    },
  };
}
