// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { SecretKeySource } from '../domain/grant-settings.ts';
import { type KeyRing, newKeyFile, parseKeyRing } from '../domain/secrets/key-ring.ts';
import { ServerError } from '../error.ts';
import { readStateFile, writeStateFile } from './state-folder.ts';

/** In the state folder. */
const SECRET_KEY_FILE = 'secrets.key';
const COMMAND_MS = 60_000;
const MAX_OUTPUT_BYTES = 65_536;

/**
 * The keys of what is encrypted at rest. Without a source a file in the state folder, which is made at the first start.
 * @throws {ServerError} 'configuration_invalid', 'state_unsafe' for a file that others may read
 */
export async function openKeyRing(stateDir: string, source: SecretKeySource | undefined): Promise<KeyRing> {
  if (source === undefined) return parseKeyRing(await ownFile(stateDir), join(stateDir, SECRET_KEY_FILE));
  switch (source.kind) {
    case 'file':
      return parseKeyRing(await fileAt(source.path, source.path), source.path);
    case 'credential': {
      const folder = process.env['CREDENTIALS_DIRECTORY'];
      if (folder === undefined || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(source.name)) {
        const expected = "expected the name of a credential that the service's unit loads (LoadCredentialEncrypted=)";
        throw new ServerError('configuration_invalid', `${expected}, found '${source.name}'`);
      }
      const path = join(folder, source.name);
      return parseKeyRing(await fileAt(path, `credential ${source.name}`), `credential ${source.name}`);
    }
    case 'command':
      return parseKeyRing(await outputOf(source.command), `output of ${source.command[0]}`);
  }
}

async function ownFile(stateDir: string): Promise<string> {
  const found = await readStateFile(stateDir, SECRET_KEY_FILE);
  if (found !== undefined) return found;
  const text = newKeyFile();
  await writeStateFile(stateDir, SECRET_KEY_FILE, text);
  return text;
}

async function fileAt(path: string, source: string): Promise<string> {
  const text = await readStateFile(dirname(path), path.slice(dirname(path).length + 1));
  if (text !== undefined) return text;
  throw new ServerError('configuration_invalid', `${source}: expected a key file, found none`);
}

async function outputOf([program = '', ...args]: readonly string[]): Promise<string> {
  const options = { timeout: COMMAND_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: 'utf8' } as const;
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (cause) {
    // Not its output, which may hold the key.
    const { code, stderr } = cause as { code?: unknown; stderr?: string };
    const said = (stderr ?? '').replace(/\p{Cc}+/gu, ' ').slice(0, 500);
    const message = `${program}: expected a program that prints a key file, found the end ${String(code)}; it said: ${said}`;
    throw new ServerError('configuration_invalid', message, { cause });
  }
}
