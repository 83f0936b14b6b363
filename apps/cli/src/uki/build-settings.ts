// SPDX-License-Identifier: Apache-2.0
import type { OutputOptions, SecureBootOptions } from './build-options.ts';
import type { ContentOptions } from './content-options.ts';
import type { PolicyOptions } from './pcr-policies.ts';

/** All that uki build can be told. */
export interface BuildOptions extends ContentOptions, PolicyOptions, SecureBootOptions, OutputOptions {
  readonly config?: string;
  readonly measure?: true;
  readonly policyDigest?: true;
  /** JSON of signed policies, or @ and a path. */
  readonly pcrsig?: string;
}
