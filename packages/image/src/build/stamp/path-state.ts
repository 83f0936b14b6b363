// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '@vouchsafe/base';
import { startDigest } from '@vouchsafe/crypto';
import { ImageError } from '../../error.ts';

/** A file or folder as it is now, in few words: another digest means that something about it has changed. */
export interface PathState {
  readonly digest: string;
  /** When anything of it last changed, in nanoseconds since 1970. */
  readonly newestNs: bigint;
}

const NOTHING: PathState = { digest: 'nothing', newestNs: 0n };
/** More is no input of an image; whether it is as it was is then not known. */
const MAX_ENTRIES = 5_000_000;

/**
 * A path with all that is below it: sizes, modes, and times of change, of data and of inodes. The latter nobody can set, so
 * that what was written in place, put in place of something, or copied with its times shows.
 */
export function pathState(path: string): PathState {
  const real = realPathOf(path);
  if (real === undefined) return NOTHING;
  const hash = startDigest('sha256');
  let newestNs = 0n;
  let count = 0;
  const add = (name: string, stats: BigIntStats): void => {
    if (++count > MAX_ENTRIES) throw new ImageError('limit', `${path}: more than ${MAX_ENTRIES} entries`);
    const { size, mode, uid, gid, ino, dev, rdev, mtimeNs, ctimeNs } = stats;
    hash.update(utf8(`${name}\0${[size, mode, uid, gid, ino, dev, rdev, mtimeNs, ctimeNs].join(' ')}\n`));
    for (const ns of [mtimeNs, ctimeNs]) if (ns > newestNs) newestNs = ns;
  };
  const visit = (at: string, name: string): void => {
    const stats = lstatSync(at, { bigint: true });
    add(name, stats);
    if (!stats.isDirectory()) return;
    for (const child of readdirSync(at).sort()) visit(join(at, child), `${name}/${child}`);
  };
  // A link that leads elsewhere now is another path.
  visit(real, real);
  return { digest: toHex(hash.digest()), newestNs };
}

/** Undefined for what is not there. */
function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}
