// SPDX-License-Identifier: Apache-2.0
// A service that a test may kill: prints where it is, and serves until then.
import { startServer } from '@vouchsafe/server';

const {
  url,
  caCertificate: ca,
  firstAdminToken: token,
} = await startServer({
  stateDir: process.argv[2] ?? '',
  ...(process.argv[3] === undefined ? {} : { databaseUrl: process.argv[3] }),
  listen: { host: '127.0.0.1', port: 0 },
  log: { level: 'error' },
  limits: {
    enrolmentsPerMinute: 100_000,
    evidencePerMinute: 100_000,
    requestsPerMinute: 100_000,
    signInsPerMinute: 100_000,
  },
});
console.log(JSON.stringify({ url, ca, token }));
