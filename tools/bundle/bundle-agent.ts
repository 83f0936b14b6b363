// SPDX-License-Identifier: Apache-2.0
import { chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXECUTABLE = 0o755;

/** Where the verbs are loaded from. */
const TABLE = join(ROOT, 'apps/cli/src/noun.ts');

/** Of all verbs the agent's come along: the others are named in the same table, and nothing here loads them. */
const agentVerbs: Plugin = {
  name: 'agent-verbs',
  setup(plugin) {
    plugin.onResolve({ filter: /^\.\// }, ({ path, kind, importer }) => {
      const isOther = kind === 'dynamic-import' && importer === TABLE && !path.startsWith('./agent/');
      return isOther ? { path, external: true } : undefined;
    });
  },
};

/**
 * Everything in one file, without the checkout around it: verbs that are loaded when they are used lie in it as functions.
 * A verb that needs files of the checkout says so itself.
 */
export async function bundleAgent(outFile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'apps/cli/src/agent-program.ts')],
    outfile: resolve(outFile),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'ascii',
    // The address of the sources is asked for where files beside them are meant; here it is this file's.
    banner: { js: "#!/usr/bin/env node\nconst SOURCE_URL = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'SOURCE_URL' },
    plugins: [agentVerbs, lazyBuiltins],
    logLevel: 'warning',
    absWorkingDir: ROOT,
  });
  await chmod(outFile, EXECUTABLE);
}
