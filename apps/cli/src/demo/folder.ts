// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DemoError } from './error.ts';

/** Where everything of a demo lies. Keys and image are kept for the next one; the rest is of one run. */
export interface DemoFolder {
  readonly path: string;
  readonly keys: string;
  readonly image: string;
  readonly agent: string;
  readonly disk: string;
  readonly manifest: string;
  /** Variables of a firmware that has the keys, Secure Boot on. */
  readonly variables: string;
  readonly run: string;
  readonly state: string;
  /** The admin's file, with the address at which this machine reaches the service. */
  readonly admin: string;
  readonly makers: string;
  readonly tampered: string;
  /** The authority of the simulated machines' TPMs. */
  readonly fleetMaker: string;
  readonly secret: string;
  readonly secretPolicy: string;
}

const MARK = '.vouchsafe-demo';

export const IMAGE = { name: 'demo', version: '1.0.0' } as const;

/** @throws {DemoError} 'folder_taken' */
export function openDemoFolder(folder: string): DemoFolder {
  const path = resolve(folder);
  if (existsSync(path) && readdirSync(path).length > 0 && !existsSync(join(path, MARK))) {
    const message = `${path}: expected an empty folder, one of an earlier demo, or none; name another with --output`;
    throw new DemoError('folder_taken', message);
  }
  const run = join(path, 'run');
  rmSync(run, { recursive: true, force: true });
  mkdirSync(run, { recursive: true, mode: 0o700 });
  writeFileSync(join(path, MARK), 'Made by vouchsafe demo; may be removed.\n');
  const image = join(path, 'image');
  mkdirSync(image, { recursive: true });
  const output = join(image, 'out', `${IMAGE.name}_${IMAGE.version}`);
  return {
    path,
    keys: join(path, 'keys'),
    image,
    agent: join(image, 'agent.cjs'),
    disk: `${output}.raw`,
    manifest: `${output}.manifest.json`,
    variables: join(image, 'variables.fd'),
    run,
    state: join(run, 'service'),
    admin: join(run, 'admin.json'),
    makers: join(run, 'tpm-maker'),
    tampered: join(run, 'tampered.raw'),
    fleetMaker: join(run, 'fleet-maker.pem'),
    secret: join(run, 'disk-key'),
    secretPolicy: join(run, 'disk-key.cedar'),
  };
}
