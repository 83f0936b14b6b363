// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from 'esbuild';

/**
 * Built-in modules that few commands need and that take milliseconds to load, with what is used of them. Each is loaded
 * when the first of these is called.
 */
const LAZY_BUILTINS: Readonly<Record<string, readonly string[]>> = {
  child_process: ['spawn', 'spawnSync'],
  os: ['availableParallelism', 'tmpdir'],
  tty: ['isatty'],
  worker_threads: ['Worker'],
};

export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(plugin) {
    const filter = new RegExp(`^(node:)?(${Object.keys(LAZY_BUILTINS).join('|')})$`);
    plugin.onResolve({ filter }, ({ path, importer }) => {
      // A thread has its module loaded already.
      if (importer.endsWith('-worker.ts')) return undefined;
      return { path: path.replace(/^node:/, ''), namespace: 'lazy-builtin', sideEffects: false };
    });
    plugin.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => ({ contents: lazyModule(path) }));
  },
};

function lazyModule(name: string): string {
  const functions = (LAZY_BUILTINS[name] ?? []).map(
    (used) => `export function ${used}(...args) {
      return new.target === undefined ? load().${used}(...args) : new (load().${used})(...args);
    }`,
  );
  return [
    `const load = () => process.getBuiltinModule(${JSON.stringify(name)});`,
    ...functions,
    'export default new Proxy({}, { get: (_, used) => load()[used] });',
  ].join('\n');
}
