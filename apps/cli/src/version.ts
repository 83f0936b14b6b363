// SPDX-License-Identifier: Apache-2.0
import manifest from '../package.json' with { type: 'json' };

/** The version of the command. */
export function version(): string {
  return manifest.version;
}
