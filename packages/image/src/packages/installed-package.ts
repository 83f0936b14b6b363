// SPDX-License-Identifier: Apache-2.0

/** A package that a package manager says is installed. */
export interface InstalledPackage {
  readonly manager: 'dpkg' | 'apk' | 'rpm';
  readonly name: string;
  /** As the manager writes it, without the epoch of rpm. */
  readonly version: string;
  /** Of rpm, which keeps it apart. */
  readonly epoch?: number | undefined;
  readonly architecture?: string | undefined;
  /** What it was built from, where that has another name or version. */
  readonly source?: { readonly name: string; readonly version?: string | undefined } | undefined;
  /** As the database says it: an SPDX expression with apk and newer rpm; dpkg has none. */
  readonly license?: string | undefined;
  /** Who maintains or vends it. */
  readonly supplier?: string | undefined;
  /** What it brought, folders too where the database lists them: paths without a leading slash. */
  readonly files: readonly string[];
}

/** A database that is there and was not read, and why. */
export interface UnreadDatabase {
  readonly path: string;
  readonly reason: string;
}

export interface InstalledPackages {
  /** By manager, name, architecture and version. */
  readonly packages: readonly InstalledPackage[];
  readonly unread: readonly UnreadDatabase[];
}

/** Far more than any system has. */
export const MAX_PACKAGES = 100_000;
/** Of all packages together. */
export const MAX_PACKAGE_FILES = 4_000_000;
