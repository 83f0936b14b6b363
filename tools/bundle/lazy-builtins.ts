// SPDX-License-Identifier: Apache-2.0
import { promisify } from 'node:util';
import type { Plugin } from 'esbuild';

/**
 * Built-in modules that take milliseconds to load and that many commands do not need, node:crypto not before the first
 * digest. Each is loaded when one of its functions is called or one of its objects is looked into. Classes can be made
 * of, not extended.
 */
const LAZY_BUILTINS: readonly string[] = [
  'child_process',
  'crypto',
  'fs/promises',
  'net',
  'os',
  'tls',
  'tty',
  'worker_threads',
  'zlib',
];

export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(plugin) {
    const filter = new RegExp(`^(node:)?(${LAZY_BUILTINS.join('|')})$`);
    plugin.onResolve({ filter }, ({ path, importer }) => {
      // A thread has its module loaded already.
      if (importer.endsWith('-worker.ts')) return undefined;
      return { path: path.replace(/^node:/, ''), namespace: 'lazy-builtin', sideEffects: false };
    });
    plugin.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => ({ contents: lazyModule(path) }));
  },
};

/** What is not used of it is left out by esbuild. */
function lazyModule(name: string): string {
  const module = process.getBuiltinModule(name) as unknown as Readonly<Record<string, unknown>>;
  // Some are loaded by Node.js itself when they are looked at (net's BlockList), so it is the value that is asked.
  const members = Object.keys(module).flatMap((member) => lazyMember(member, module[member]));
  return [
    `const load = () => process.getBuiltinModule(${JSON.stringify(name)});`,
    ...members,
    'export default /* @__PURE__ */ new Proxy({}, { get: (_, member) => load()[member] });',
  ].join('\n');
}

/** A function is looked up once, as some are called for each block of a file. */
function lazyMember(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof value !== 'function') {
    return [`export const ${name} = /* @__PURE__ */ new Proxy({}, { get: (_, key) => load().${name}[key] });`];
  }
  // What it becomes as a promise is a property of it: execFile's gives both outputs.
  if (promisify.custom in value) {
    return [
      `export const ${name} = /* @__PURE__ */ new Proxy(() => {}, {
        apply: (_, self, args) => load().${name}.apply(self, args), get: (_, key) => load().${name}[key] });`,
    ];
  }
  return [
    `let $${name};`,
    `export function ${name}(...args) {
      $${name} ??= load().${name};
      return new.target === undefined ? $${name}(...args) : new $${name}(...args);
    }`,
  ];
}
