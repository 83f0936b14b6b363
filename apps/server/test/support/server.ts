// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, type ServerConfig, startServer } from '@vouchsafe/server';
import { type Client, createClient } from './client.ts';

type Hooks = { after(fn: () => Promise<void> | void): void };

export interface TestServer extends RunningServer {
  readonly client: Client;
  /** The first admin's. */
  readonly adminToken: string;
  readonly stateDir: string;
  readonly logLines: readonly string[];
}

/** A service on a free port of 127.0.0.1 with a state folder of its own; both go when the test ends. */
export async function startTestServer(t: Hooks, config: Partial<ServerConfig> = {}): Promise<TestServer> {
  const stateDir = config.stateDir ?? mkdtempSync(join(tmpdir(), 'vouchsafe-server-'));
  const logLines: string[] = [];
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    log: { level: 'info', stream: { write: (line) => void logLines.push(line) } },
    ...config,
    limits: {
      enrolmentsPerMinute: 100_000,
      evidencePerMinute: 100_000,
      requestsPerMinute: 100_000,
      signInsPerMinute: 100_000,
      ...config.limits,
    },
    stateDir,
  });
  const client = createClient(server.url, { ca: server.caCertificate });
  t.after(async () => {
    client.close();
    await server.close();
    if (config.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
  });
  return { ...server, client, adminToken: server.firstAdminToken ?? '', stateDir, logLines };
}
