// SPDX-License-Identifier: Apache-2.0
// The service in a process of its own, whose clock the load generator sets, so that rounds of a quarter of an hour follow each
// other at once: what goes by time, certificates above all, comes as often as it does in life.
import { startServer } from '@vouchsafe/server';

const [stateDir = '', databaseUrl = ''] = process.argv.slice(2);
let aheadMs = Number(process.argv[4] ?? 0);

const server = await startServer({
  stateDir,
  databaseUrl,
  listen: { host: '127.0.0.1', port: 0 },
  log: { level: 'error' },
  limits: { enrolmentsPerMinute: 1_000_000, evidencePerMinute: 1_000_000, requestsPerMinute: 1_000_000 },
  now: () => Date.now() + aheadMs,
});

const usage = () => {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, systemMs: system / 1000, rssMib: process.memoryUsage.rss() / 2 ** 20 };
};

process.on('message', (message: { readonly ask: string; readonly aheadMs?: number }) => {
  if (message.ask === 'close') void server.close().then(() => process.exit());
  if (message.aheadMs !== undefined) ({ aheadMs } = message);
  if (message.ask === 'usage') process.send?.(usage());
  if (message.ask === 'clock') process.send?.({});
});
process.send?.({
  url: server.url,
  ca: server.caCertificate,
  token: server.firstAdminToken,
  ...usage(),
});
