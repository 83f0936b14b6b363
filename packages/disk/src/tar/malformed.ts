// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

export function tarMalformed(label: string, offset: number, problem: string, options?: ErrorOptions): DiskError {
  return new DiskError('tar_malformed', `${label}: tar archive, octet ${offset}: ${problem}`, options);
}
