// SPDX-License-Identifier: Apache-2.0
/** The one table of levels. ARCHITECTURE.md's matrix shows the same; a check compares them. */

/** Level of each member, by its folder. Imports go strictly down. */
export const MEMBER_LEVELS: Readonly<Record<string, number>> = {
  'packages/base': 0,
  'packages/codec': 1,
  'packages/bytes': 1,
  'packages/crypto': 1,
  'packages/pki': 2,
  'packages/audit': 3,
  'packages/verity': 3,
  'packages/disk': 3,
  'packages/pe': 3,
  'packages/tpm': 3,
  'packages/eventlog': 4,
  'packages/identity': 4,
  'packages/manifest': 5,
  'packages/measure': 6,
  'packages/appraise': 6,
  'packages/protocol': 6,
  'packages/image': 7,
  'apps/server': 8,
  'apps/agent': 8,
  'apps/dashboard': 8,
  // Beside the apps, so that none of them can import it; only the command, which starts them all, may.
  lab: 8,
  'apps/cli': 9,
};

/** Members up to this level are pure: nothing but the language, TextEncoder and TextDecoder. */
const LAST_PURE_LEVEL = 6;

/** Folders of pure members that may use Node.js; they are reached through an `exports` entry of their own. */
const IMPURE_FOLDERS = ['src/node/'];
const MORE_IMPURE_FOLDERS: Readonly<Record<string, readonly string[]>> = { 'packages/crypto': ['src/signing/'] };

/** The only dependencies from npm that pure members may have, by prefix. */
export const PURE_DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
  'packages/crypto': ['@noble/'],
  // Declares a JSON form once, as a schema and as a type, and checks against it.
  'packages/manifest': ['typebox'],
  'packages/protocol': ['typebox'],
  'packages/appraise': ['typebox'],
};

/** Apps that may import other apps: the command starts them. */
export const STARTERS: readonly string[] = ['apps/cli'];

/** Members that may import nothing but these members. */
export const SEES_ONLY: Readonly<Record<string, readonly string[]>> = { 'apps/dashboard': ['packages/protocol'] };

/** The one importer of node:crypto. */
export const CRYPTO_MEMBER = 'packages/crypto';

/** The places of SQL, and of the modules that speak it: the service's store, and rpm's database, which is an SQLite file. */
export const SQL_FOLDERS: readonly string[] = ['apps/server/src/store/', 'packages/image/src/packages/rpm/'];
export const SQL_MODULES: readonly string[] = ['node:sqlite', 'kysely', 'pg'];

/** True when a file of a member, given from the member's folder, must be pure. */
export function isPurePath(member: string, path: string): boolean {
  const level = MEMBER_LEVELS[member];
  if (level === undefined || level > LAST_PURE_LEVEL || !path.startsWith('src/')) return false;
  return ![...IMPURE_FOLDERS, ...(MORE_IMPURE_FOLDERS[member] ?? [])].some((folder) => path.startsWith(folder));
}
