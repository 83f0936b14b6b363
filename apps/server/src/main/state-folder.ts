// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ServerError } from '../error.ts';

/** Files of a state folder are small: keys, certificates. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Makes the folder, or looks whether it is fit: what is in it decides who is trusted.
 * @throws {ServerError} 'state_unsafe' when it is another user's or others may enter it.
 */
export async function openStateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(path);
  const me = process.getuid?.() ?? uid;
  if (uid !== me) throw unsafe(path, `expected a folder of the user ${me}, found one of the user ${uid}`);
  if ((mode & 0o077) !== 0) {
    throw unsafe(path, `expected the mode 0700, found 0${(mode & 0o777).toString(8)}; run: chmod 700 '${path}'`);
  }
}

/** The file's text; undefined when it is not there. @throws {ServerError} 'state_unsafe' for a secret that others may read. */
export async function readStateFile(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { mode, size } = await handle.stat();
    if ((mode & 0o077) !== 0) throw unsafe(path, 'expected a file that its owner alone may read; run: chmod 600 on it');
    if (size > MAX_FILE_BYTES) throw unsafe(path, `expected at most ${MAX_FILE_BYTES} octets, found ${size}`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Writes beside and renames, for the owner alone: a reader sees the old file or the whole new one. */
export async function writeStateFile(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, path);
}

/** A file that an operator named; undefined when it is not there. */
export const readOperatorFile = (path: string): Promise<string> => readFile(path, 'utf8');

const unsafe = (path: string, found: string): ServerError => new ServerError('state_unsafe', `${path}: ${found}`);
