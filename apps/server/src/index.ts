// SPDX-License-Identifier: Apache-2.0
export { ServerError, type ServerErrorCode } from './error.ts';
export { DEFAULT_PORT, type ServerConfig } from './main/config.ts';
export { type RunningServer, type ServingService, startServer } from './main/start-server.ts';
export { startWorkers } from './main/start-workers.ts';
export { isWorkerProcess } from './main/worker-process.ts';
