// SPDX-License-Identifier: Apache-2.0
// What the test page runs: Cedar's WebAssembly, given as Base64, then the appraisal.

import * as cedar from '@cedar-policy/cedar-wasm/web';
import { initSync, type SyncInitInput } from '@cedar-policy/cedar-wasm/web';
import type { CedarEngine } from '@vouchsafe/appraise';
import { parseBase64 } from '@vouchsafe/pki';
import { verdictText } from './in-browser.ts';

/** @param wasm cedar_wasm_bg.wasm in Base64. */
function appraiseInPage(wasm: string, bundleText: string): string {
  initSync({ module: parseBase64(wasm) as unknown as SyncInitInput });
  return verdictText(cedar as unknown as CedarEngine, bundleText);
}

Object.assign(globalThis, { appraiseInPage });
