// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BootResult, readResults } from './boot.ts';
import { Child } from './child.ts';
import { RESULTS_PORT } from './qemu-arguments.ts';

export interface KernelBootRequest {
  /** A kernel on this machine. */
  readonly kernel: string;
  /** A cpio archive, compressed or not. */
  readonly initrd: Uint8Array;
  readonly cmdline: string;
  /** In the order in which the guest finds them: /dev/vda, /dev/vdb … */
  readonly disks: readonly string[];
  readonly memoryMib?: number;
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 300_000;
const POLL_MS = 50;

/** Starts a kernel without firmware, boot loader or TPM, as QEMU itself does: for what only the kernel is asked about. */
export async function bootKernel(request: KernelBootRequest): Promise<Omit<BootResult, 'outcome'>> {
  const workDir = mkdtempSync(join(tmpdir(), 'vouchsafe-vm-'));
  const [initrd, serialLog, results] = ['initrd', 'serial.log', 'results.cpio'].map((name) => join(workDir, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(initrd, request.initrd);
  const machine = Child.start('qemu-system-x86_64', [
    ...['-machine', 'q35,vmport=off', '-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-smp', '2'],
    ...['-m', String(request.memoryMib ?? 512), '-nodefaults', '-no-reboot', '-display', 'none', '-nic', 'none'],
    ...['-kernel', request.kernel, '-initrd', initrd, '-append', `console=ttyS0 panic=-1 ${request.cmdline}`],
    ...request.disks.flatMap((path, i) => [
      ...['-drive', `if=none,id=disk${i},format=raw,readonly=on,file=${path}`],
      ...['-device', `virtio-blk-pci,drive=disk${i}`],
    ]),
    ...['-chardev', `file,id=serial,path=${serialLog}`, '-serial', 'chardev:serial', '-device', 'virtio-serial-pci'],
    ...['-chardev', `file,id=results,path=${results}`],
    ...['-device', `virtserialport,chardev=results,name=${RESULTS_PORT}`],
  ]);
  try {
    const deadline = Date.now() + (request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    while (!machine.hasExited && Date.now() < deadline) await sleep(POLL_MS);
    await machine.stop();
    const serial = existsSync(serialLog) ? readFileSync(serialLog, 'latin1') : '';
    return { serial, results: readResults(results) };
  } finally {
    await machine.stop();
    rmSync(workDir, { recursive: true, force: true });
  }
}
