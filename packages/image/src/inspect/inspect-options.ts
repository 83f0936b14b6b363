// SPDX-License-Identifier: Apache-2.0

export interface InspectOptions {
  /** Digests of everything, which reads all of it. Otherwise of what has 1 MiB or less. */
  readonly allDigests: boolean;
}
