// SPDX-License-Identifier: Apache-2.0
export { ServerError, type ServerErrorCode } from './error.ts';
export { DEFAULT_PORT, type ServerConfig } from './main/config.ts';
export { type RunningServer, startServer } from './main/start-server.ts';
