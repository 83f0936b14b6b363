// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import type { CedarEngine } from '../policy/engine.ts';

type CedarModule = typeof import('@cedar-policy/cedar-wasm/nodejs');

let loaded: CedarEngine | undefined;

/**
 * Cedar for Node.js, once for each thread: 4 MiB of WebAssembly, which only those load who ask for a policy. By way of
 * require, as the module reads its WebAssembly from beside it and so must stay where it is when commands are bundled.
 */
export function loadCedar(): CedarEngine {
  loaded ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as CedarModule as unknown as CedarEngine;
  return loaded;
}
