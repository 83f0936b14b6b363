// SPDX-License-Identifier: Apache-2.0
import type { LevelFinding } from './finding.ts';
import { CRYPTO_MEMBER, isPurePath } from './members.ts';
import type { GlobalUse } from './syntax.ts';
import type { SourceFile, Tree } from './tree.ts';

/** What a runtime offers beyond the language, by what a pure file does instead. */
const RUNTIME_GLOBALS: Readonly<Record<string, readonly string[]>> = {
  'use Uint8Array and @vouchsafe/base': ['Buffer', 'btoa', 'atob'],
  'take what you need as an argument': [
    'process',
    'globalThis',
    'global',
    'self',
    'window',
    'document',
    'navigator',
    'location',
    'localStorage',
    'sessionStorage',
    'indexedDB',
    'require',
    '__dirname',
    '__filename',
  ],
  'report through an argument, or throw': ['console', 'alert'],
  'time comes in as an argument': [
    'performance',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'clearTimeout',
    'clearInterval',
    'clearImmediate',
    'queueMicrotask',
    'requestAnimationFrame',
    'Temporal',
  ],
  'bytes come in as an argument': ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Worker', 'SharedWorker'],
  'use @vouchsafe/crypto; randomness comes in as an argument': ['crypto'],
  'code is not made at run time': ['eval', 'WebAssembly'],
};

const HINT_OF = new Map(
  Object.entries(RUNTIME_GLOBALS).flatMap(([hint, names]) => names.map((name) => [name, hint] as const)),
);

/** Pure files use the language alone; and no product file reaches for the runtime's cryptography. */
export function checkPurity(tree: Tree): LevelFinding[] {
  return tree.sources.flatMap((file) => {
    if (file.member === undefined || !file.inner.startsWith('src/')) return [];
    if (!isPurePath(file.member.folder, file.inner)) return checkCryptoGlobal(file);
    const findings = file.syntax.globals.flatMap((use): LevelFinding[] => {
      const hint = impurityOf(use);
      return hint === undefined ? [] : [{ file: file.path, line: use.line, rule: 'pure-global', hint }];
    });
    const metas = file.syntax.importMetas.map((line): LevelFinding => {
      return {
        file: file.path,
        line,
        rule: 'pure-global',
        hint: 'import.meta tells of the runtime: take it as an argument',
      };
    });
    return [...findings, ...metas];
  });
}

function impurityOf({ name, use }: GlobalUse): string | undefined {
  const hint = HINT_OF.get(name);
  if (hint !== undefined) return `${name}: ${hint}`;
  if (name === 'Date') {
    const isGiven = use.kind === 'new' && use.arguments > 0;
    const isPlain =
      use.kind === 'type' || (use.kind === 'member' && ['UTC', 'parse', 'prototype'].includes(use.member));
    // By another name, Date could be asked for the time unseen.
    return isGiven || isPlain ? undefined : 'Date reads the clock here: time comes in as an argument';
  }
  if (name === 'Math') {
    const isPlain = use.kind === 'type' || (use.kind === 'member' && use.member !== 'random');
    return isPlain ? undefined : 'Math.random: randomness comes in as an argument';
  }
  return undefined;
}

/** Objects that hold all globals. */
const GLOBAL_OBJECTS: readonly string[] = ['globalThis', 'global', 'self', 'window'];

/**
 * Web Cryptography by its name, or as a member of the global object; node:crypto by require or process. As any other name
 * (`const { crypto } = globalThis`, `globalThis[name]`) the global object could hand it out unseen, and there is no need.
 */
function isCryptoUse({ name, use }: GlobalUse): boolean {
  if (name === 'crypto') return true;
  if (name === 'require') return use.kind !== 'type';
  if (name === 'process') return use.kind === 'member' && use.member === 'getBuiltinModule';
  if (!GLOBAL_OBJECTS.includes(name)) return false;
  return use.kind === 'member' ? use.member === 'crypto' : use.kind !== 'type';
}

function checkCryptoGlobal(file: SourceFile): LevelFinding[] {
  if (file.member?.folder === CRYPTO_MEMBER) return [];
  return file.syntax.globals.filter(isCryptoUse).map(({ line }) => ({
    file: file.path,
    line,
    rule: 'crypto',
    hint: 'use @vouchsafe/crypto: it alone does cryptography',
  }));
}
