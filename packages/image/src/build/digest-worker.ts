// SPDX-License-Identifier: Apache-2.0
// Runs in a worker thread: the digest of an open file.
import { parentPort, workerData } from 'node:worker_threads';
import { type FileHandleData, FileSource } from '@vouchsafe/bytes/node';
import { sha256Of } from '../inspect/sha256-of.ts';

parentPort?.postMessage(sha256Of(FileSource.over(workerData as FileHandleData)));
