// SPDX-License-Identifier: Apache-2.0
import type { CelLog } from './cel/log.ts';
import type { DrtmLog } from './drtm/log.ts';
import type { ImaLog } from './ima/log.ts';
import type { TcgLog } from './tcg/log.ts';
import type { UserspaceLog } from './userspace/log.ts';

/** A log of any kind, read to its end: each has its events in order, and the banks that they have digests of. */
export type BootLog = TcgLog | ImaLog | UserspaceLog | CelLog | DrtmLog;
export type BootLogKind = BootLog['kind'];
