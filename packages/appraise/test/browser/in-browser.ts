// SPDX-License-Identifier: Apache-2.0
import {
  appraise,
  type CedarEngine,
  inputOf,
  parseBundle,
  preparePolicy,
  prepareReferences,
  STRICT_POLICY,
} from '@vouchsafe/appraise';
import { utf8 } from '@vouchsafe/base';

/** The verdict on a bundle, by the strict policy, as a text of JSON. */
export function verdictText(cedar: CedarEngine, bundleText: string): string {
  const bundle = parseBundle(utf8(bundleText));
  const policy = preparePolicy(cedar, 'strict', STRICT_POLICY);
  return JSON.stringify(appraise({ ...inputOf(bundle), references: prepareReferences(bundle.references), policy }));
}
