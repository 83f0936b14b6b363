// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isWorkerProcess, type ServingService, startServer, startWorkers } from '@vouchsafe/server';
import type { Command } from '../arguments/command.ts';
import { createServiceFile, readServiceFile, writeServiceFile } from '../service/service-file.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { configOf, DEFAULT_STATE, defineServe, type ServeOptions } from './serve-options.ts';

const ADMIN_FILE = 'admin.json';

export const serve: Verb = {
  define(command: Command, session) {
    defineServe(command).action((options: ServeOptions) => run(session, options));
  },
};

async function run(session: Session, options: ServeOptions): Promise<void> {
  const config = configOf(options);
  if (isWorkerProcess()) return serveUntilStopped(await startServer(config));
  const { workers } = options;
  const running = workers === 1 ? await startServer(config) : await startWorkers(config, workers);
  const adminFile = keepAdminFile(config.stateDir, running);
  session.answer(startText(options, running, adminFile), {
    url: running.url,
    caSha256: running.caSha256,
    state: config.stateDir,
    adminFile,
    ...(running.firstAdminToken === undefined ? {} : { firstAdminToken: running.firstAdminToken }),
  });
  await serveUntilStopped(running);
}

async function serveUntilStopped(running: Pick<ServingService, 'close'>): Promise<void> {
  await Promise.race((['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((signal) => once(process, signal)));
  await running.close();
}

/** What the operators' commands need; written with the first token, and kept to where the service is. */
function keepAdminFile(stateDir: string, { url, caCertificate: ca, firstAdminToken }: ServingService): string {
  const path = join(stateDir, ADMIN_FILE);
  const token = firstAdminToken ?? (existsSync(path) ? readServiceFile(path).token : undefined);
  if (token !== undefined) writeServiceFile(createServiceFile(path, true), { url, ca, token });
  return path;
}

function startText(options: ServeOptions, running: ServingService, adminFile: string): string {
  const { url, caSha256, firstAdminToken } = running;
  const lines = [
    `serving at ${url}`,
    `  state     ${options.state}`,
    `  database  ${options.db === undefined ? 'SQLite, in the state folder' : options.db.replace(/:\/\/[^@/]*@/, '://…@')}`,
    `  CA pin    ${caSha256}`,
  ];
  if (firstAdminToken === undefined) return lines.join('\n');
  const service = adminFile === resolve(DEFAULT_STATE, ADMIN_FILE) ? '' : ` --service ${adminFile}`;
  return [
    ...lines,
    '',
    `The first admin's token, shown now and never again: ${firstAdminToken}`,
    `It is in ${adminFile} too, for the commands of operators; keep it as you keep a root password.`,
    '',
    'Next:',
    `  vouchsafe trust add --for tpm-maker MAKERS.pem${service}     whose TPMs are genuine`,
    `  vouchsafe token create${service}                              leave for one machine to join`,
  ].join('\n');
}
