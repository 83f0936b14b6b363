// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { readCpio } from '@vouchsafe/disk';
import { Child } from './child.ts';
import { LabError } from './error.ts';
import { type MachineShape, qemuArguments, SMALL_MACHINE } from './qemu-arguments.ts';
import { startTpm } from './swtpm.ts';

export const FIRMWARE_CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';
export const FIRMWARE_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';

export interface BootRequest {
  readonly disk: string;
  /** Disks that firmware tries when it does not start what is on the first. */
  readonly furtherDisks?: readonly string[];
  /** The variable store to boot with; a copy is used. */
  readonly firmwareVariables: string;
  /** Where the TPM keeps what survives a boot; a fresh TPM when absent. */
  readonly tpmState?: string;
  readonly shape?: MachineShape;
  readonly timeoutMs?: number;
  /** Called with what the machine writes to its serial port. */
  readonly onSerial?: (text: string) => void;
}

/** How a boot ended. */
export type BootOutcome =
  | 'reported' // the guest handed out its results and switched itself off
  | 'refused_by_firmware' // the firmware did not start what is on the disk
  | 'refused_by_initrd' // the initrd did not accept the root
  | 'refused_by_kernel' // dm-verity found a block that is not what the root hash says
  | 'ended' // the machine ended without a word that we know
  | 'timed_out';

export interface BootResult {
  readonly outcome: BootOutcome;
  /** The serial log, without escape sequences. */
  readonly serial: string;
  /** Files that the guest handed out, by name. */
  readonly results: ReadonlyMap<string, Uint8Array>;
}

/** Emulation takes 20 s on a quiet machine, and three times that on a busy one. */
const DEFAULT_TIMEOUT_MS = 240_000;
const POLL_MS = 50;
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

/** Boots a disk image on a machine of its own and waits for how it ends. Leaves nothing behind. */
export async function bootDisk(request: BootRequest): Promise<BootResult> {
  const disks = [request.disk, ...(request.furtherDisks ?? [])];
  for (const path of [...disks, request.firmwareVariables, FIRMWARE_CODE]) {
    if (!existsSync(path)) throw new LabError('input_missing', `${path}: not there; Debian's ovmf brings the firmware`);
  }
  const workDir = mkdtempSync(join(tmpdir(), 'vouchsafe-vm-'));
  const files = {
    firmwareCode: FIRMWARE_CODE,
    firmwareVariables: join(workDir, 'variables.fd'),
    disks,
    serialLog: join(workDir, 'serial.log'),
    results: join(workDir, 'results.cpio'),
  };
  copyFileSync(request.firmwareVariables, files.firmwareVariables);
  const tpm = await startTpm(request.tpmState ?? join(workDir, 'tpm-state'), workDir);
  try {
    const args = qemuArguments({ ...files, tpmSocket: tpm.socketPath }, request.shape ?? SMALL_MACHINE);
    const machine = Child.start('qemu-system-x86_64', args);
    try {
      const { serial, isTimeout } = await watch(machine, files.serialLog, request);
      await machine.stop();
      const results = readResults(files.results);
      return { outcome: outcomeOf(serial, results.size > 0, isTimeout), serial, results };
    } finally {
      await machine.stop();
    }
  } finally {
    await tpm.stop();
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** What ends the waiting, although the machine goes on: it waits for a key, or for ever. */
const LAST_WORDS = ['No bootable option or device was found', 'Kernel panic - not syncing'];

async function watch(
  machine: Child,
  serialLog: string,
  request: BootRequest,
): Promise<{ readonly serial: string; readonly isTimeout: boolean }> {
  const deadline = Date.now() + (request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  let seen = '';
  for (;;) {
    const wasRunning = !machine.hasExited;
    const serial = existsSync(serialLog) ? plainText(readFileSync(serialLog)) : '';
    if (serial.length > seen.length) request.onSerial?.(serial.slice(seen.length));
    seen = serial;
    if (!wasRunning || LAST_WORDS.some((words) => serial.includes(words))) return { serial, isTimeout: false };
    if (Date.now() > deadline) return { serial, isTimeout: true };
    await sleep(POLL_MS);
  }
}

/** Escape, then the firmware's cursor movements and colours. */
const ESCAPE_SEQUENCES = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;=]*[A-Za-z]`, 'g');

function plainText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').replace(ESCAPE_SEQUENCES, '');
}

function outcomeOf(serial: string, hasResults: boolean, isTimeout: boolean): BootOutcome {
  if (/device-mapper: verity: .* is corrupted/.test(serial)) return 'refused_by_kernel';
  if (serial.includes('vouchsafe-initrd: refused:')) return 'refused_by_initrd';
  if (/Access Denied|Security Violation/.test(serial)) return 'refused_by_firmware';
  if (hasResults) return 'reported';
  return isTimeout ? 'timed_out' : 'ended';
}

/** What a guest handed out, by name. */
export function readResults(path: string): Map<string, Uint8Array> {
  const results = new Map<string, Uint8Array>();
  if (!existsSync(path)) return results;
  using source = FileSource.open(path);
  if (source.size === 0 || source.size > MAX_RESULT_BYTES) return results;
  for (const entry of readCpio(source)) {
    if (entry.kind === 'file') results.set(entry.path, readBytes(entry.content, 0, entry.content.size));
  }
  return results;
}
