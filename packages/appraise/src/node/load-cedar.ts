// SPDX-License-Identifier: Apache-2.0
import type { CedarEngine } from '../policy/engine.ts';

let loaded: Promise<CedarEngine> | undefined;

/** Cedar for Node.js, once for each thread: 4 MiB of WebAssembly, which only those load who ask for a policy. */
export async function loadCedar(): Promise<CedarEngine> {
  loaded ??= import('@cedar-policy/cedar-wasm/nodejs').then((module) => module as unknown as CedarEngine);
  return await loaded;
}
