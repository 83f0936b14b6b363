// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { hostError, OutputFile } from '@vouchsafe/bytes/node';
import { readSmallFile } from '../parse.ts';
import { ServiceClientError } from './error.ts';

/** Where a service is, how to know it, and who we are to it: what `serve` writes on its first start. */
export interface ServiceFile {
  /** `https://name:port`. */
  readonly url: string;
  /** PEM: the only authority that the service's certificate may lead to. */
  readonly ca: string;
  /** An operator's. A secret. */
  readonly token: string;
}

const GROUP_AND_OTHERS = 0o077;

/**
 * @throws {ServiceClientError} 'service_unknown' for a file that is not there, is none, or that others can read.
 * @throws {BytesError} what else the host refuses.
 */
export function readServiceFile(path: string): ServiceFile {
  requirePrivate(path);
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(readSmallFile(path, 1024 * 1024)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TextError) throw unknown(path, 'other contents');
    throw error;
  }
  if (!isServiceFile(value)) throw unknown(path, 'other contents');
  return value;
}

/** A file for its owner alone, made before there is a token, so that no token is made in vain. @throws {BytesError} */
export const createServiceFile = (path: string, force: boolean): OutputFile =>
  OutputFile.create(path, { force, mode: 0o600 });

/** Writes it, whole or not at all. @throws {BytesError} */
export function writeServiceFile(file: OutputFile, { url, ca, token }: ServiceFile): void {
  file.write(0, utf8(`${JSON.stringify({ url, ca, token }, null, 2)}\n`));
  file.commit();
}

function requirePrivate(path: string): void {
  let mode: number;
  try {
    ({ mode } = statSync(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw unknown(path, 'nothing');
    throw hostError(path, cause);
  }
  if ((mode & GROUP_AND_OTHERS) === 0) return;
  throw unknown(path, `one that others can read (${(mode & 0o777).toString(8)}); its token is a secret: chmod 600`);
}

function isServiceFile(value: unknown): value is ServiceFile {
  const { url, ca, token } = (value ?? {}) as Record<string, unknown>;
  return [url, ca, token].every((text) => typeof text === 'string' && text !== '') && URL.canParse(url as string);
}

const unknown = (path: string, found: string): ServiceClientError =>
  new ServiceClientError(
    'service_unknown',
    `${path}: expected the file that serve writes on its first start (admin.json in its state folder), found ${found}; name it with --service or VOUCHSAFE_SERVICE`,
  );
