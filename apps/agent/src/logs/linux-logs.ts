// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import { wholeImaEntriesBytes } from '@vouchsafe/eventlog';
import type { LogSources } from './log-sources.ts';

/** Where Linux and systemd keep what was measured. The files of securityfs have no size: each is read until it ends. */
const BOOT_ID = 'proc/sys/kernel/random/boot_id';
const FIRMWARE = 'sys/kernel/security/tpm0/binary_bios_measurements';
const USERSPACE = 'run/log/systemd/tpm2-measure.log';
const IMA = 'sys/kernel/security/ima/binary_runtime_measurements';
const LAUNCH = 'sys/kernel/security/slaunch/eventlog';

const CHUNK_BYTES = 64 * 1024;

/**
 * The logs of this system.
 * @param root a folder in which they lie under the same paths; `/` unless given
 * @throws {BytesError} by each method, when the host refuses
 */
export function linuxLogs(root = '/'): LogSources {
  const read = (path: string, offset: number, maxBytes: number) => readPart(join(root, path), offset, maxBytes);
  return {
    readBootId: () => onHost(join(root, BOOT_ID), (path) => readFileSync(path, 'latin1').trim()),
    readFirmware: (maxBytes) => read(FIRMWARE, 0, maxBytes),
    readUserspace: (maxBytes) => read(USERSPACE, 0, maxBytes),
    readLaunch: (maxBytes) => read(LAUNCH, 0, maxBytes),
    readIma: (offset, maxBytes) => {
      const part = read(IMA, offset, maxBytes);
      if (part === undefined) return undefined;
      // At the end of the list there may be nothing new; beyond it, or inside an entry, this is not the list that was meant.
      const isMeant = part.length > 0 || offset === 0 || (read(IMA, offset - 1, 1)?.length ?? 0) > 0;
      const end = isMeant ? wholeImaEntriesBytes(part) : undefined;
      if (end !== undefined) return { offset, bytes: part.subarray(0, end) };
      const whole = offset === 0 ? new Uint8Array() : (read(IMA, 0, maxBytes) ?? new Uint8Array());
      return { offset: 0, bytes: whole.subarray(0, wholeImaEntriesBytes(whole) ?? 0) };
    },
  };
}

/** Undefined when there is no such file. */
function readPart(file: string, offset: number, maxBytes: number): Uint8Array | undefined {
  return onHost(file, (path) => {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const chunks: Uint8Array[] = [];
      for (let size = 0; size < maxBytes; ) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, maxBytes - size));
        const got = readSync(fd, chunk, 0, chunk.length, offset + size);
        if (got === 0) break;
        chunks.push(got === chunk.length ? chunk : chunk.slice(0, got));
        size += got;
      }
      return concatBytes(...chunks);
    } finally {
      closeSync(fd);
    }
  });
}

function onHost<T>(path: string, run: (path: string) => T): T {
  try {
    return run(path);
  } catch (cause) {
    throw hostError(path, cause);
  }
}
