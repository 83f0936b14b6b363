// SPDX-License-Identifier: Apache-2.0
// A service that runs in this process, and the command beside it.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerConfig, startServer } from '@vouchsafe/server';
import { ENVIRONMENT, MAIN, type Outcome } from './support.ts';

export interface TestService {
  /** The first admin's file, for --service. */
  readonly admin: string;
  /** Of the service, with the database. */
  readonly stateDir: string;
  /** Runs the command in a folder, as the admin unless the arguments say otherwise. */
  run(...args: string[]): Promise<Outcome>;
  close(): Promise<void>;
}

/** @param dir of its own: the state, and where the command runs. */
export async function startTestService(dir: string, config: Partial<ServerConfig> = {}): Promise<TestService> {
  const server = await startServer({
    stateDir: join(dir, 'state'),
    listen: { host: '127.0.0.1', port: 0 },
    joining: { token: true, inventory: true, approval: true },
    grants: { webhooks: { allow: ['127.0.0.0/8'], allowHttp: true } },
    log: { level: 'silent' },
    ...config,
  });
  const admin = join(dir, 'admin.json');
  const { url, caCertificate: ca, firstAdminToken: token } = server;
  writeFileSync(admin, JSON.stringify({ url, ca, token }), { mode: 0o600 });
  return {
    admin,
    stateDir: join(dir, 'state'),
    run: (...args) => runBeside(dir, args, { VOUCHSAFE_SERVICE: admin }),
    close: () => server.close(),
  };
}

/** Without blocking this process, which answers. */
function runBeside(cwd: string, args: readonly string[], variables: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...ENVIRONMENT, ...variables } });
    const [out, err]: Buffer[][] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => void out?.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => void err?.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout: Buffer.concat(out ?? []).toString(), stderr: Buffer.concat(err ?? []).toString() });
    });
  });
}
