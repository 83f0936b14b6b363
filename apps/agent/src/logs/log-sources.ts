// SPDX-License-Identifier: Apache-2.0

/** What this boot measured, wherever it is kept; the tests and the load generator have other places. Undefined: there is none. */
export interface LogSources {
  /** Changes with each start of the system. */
  readBootId(): string;
  /** The whole log, up to `maxBytes`. */
  readFirmware(maxBytes: number): Uint8Array | undefined;
  readUserspace(maxBytes: number): Uint8Array | undefined;
  readLaunch(maxBytes: number): Uint8Array | undefined;
  /**
   * IMA's binary list from an octet on, up to `maxBytes`, cut after a whole entry. From its beginning where no entry
   * begins at that octet: then the offset is one of another boot.
   */
  readIma(offset: number, maxBytes: number): { readonly offset: number; readonly bytes: Uint8Array } | undefined;
}
