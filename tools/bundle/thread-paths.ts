// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

const THREAD = /new URL\('\.\/([a-z-]+-worker)\.ts', import\.meta\.url\)/g;

/** A thread's program is named by its source's address; in the bundle it is the file beside. `found` gets its source. */
export function threadPaths(found: Set<string>): Plugin {
  return {
    name: 'thread-paths',
    setup(plugin) {
      plugin.onLoad({ filter: /\/src\/node\/[a-z-]+\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replace(THREAD, (_, name: string) => {
          found.add(join(dirname(path), `${name}.ts`));
          return `(__dirname + '/${name}.cjs')`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}
