// SPDX-License-Identifier: Apache-2.0
import cluster from 'node:cluster';

/** True in a process that `startWorkers` has made: it calls `startServer` with the same configuration. */
export const isWorkerProcess = (): boolean => cluster.isWorker;
