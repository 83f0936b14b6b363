// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../error.ts';
import { Child } from './child.ts';
import type { BootResult } from './machine.ts';
import { PlainText } from './plain-text.ts';
import { RESULTS_PORT, readResults } from './results.ts';

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

/** Starts a kernel without firmware, boot loader or TPM, as QEMU itself does: for what only the kernel is asked about. */
export async function bootKernel(request: KernelBootRequest): Promise<Pick<BootResult, 'serial' | 'results'>> {
  const workDir = mkdtempSync(join(tmpdir(), 'vouchsafe-vm-'));
  const [initrd, results] = [join(workDir, 'initrd'), join(workDir, 'results.cpio')];
  writeFileSync(initrd, request.initrd);
  const text = new PlainText();
  let serial = '';
  const args = [
    ...['-machine', 'q35,vmport=off', '-accel', 'tcg,thread=single', '-cpu', 'Nehalem', '-smp', '1'],
    ...['-m', String(request.memoryMib ?? 512), '-nodefaults', '-no-reboot', '-display', 'none', '-nic', 'none'],
    ...['-kernel', request.kernel, '-initrd', initrd, '-append', `console=ttyS0 panic=-1 ${request.cmdline}`],
    ...request.disks.flatMap((path, i) => [
      ...['-drive', `if=none,id=disk${i},format=raw,readonly=on,file=${path}`],
      ...['-device', `virtio-blk-pci,drive=disk${i}`],
    ]),
    ...['-chardev', 'stdio,id=serial,signal=off', '-serial', 'chardev:serial', '-device', 'virtio-serial-pci'],
    ...['-chardev', `file,id=results,path=${results}`],
    ...['-device', `virtserialport,chardev=results,name=${RESULTS_PORT}`],
  ];
  const machine = Child.start('qemu-system-x86_64', args, (bytes) => {
    serial += text.push(bytes);
  });
  const timer = setTimeout(() => void machine.stop(), request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  try {
    await machine.exited.catch((cause: Error) => {
      throw new LabError('tool_failed', `qemu-system-x86_64 did not start: ${cause.message}`, { cause });
    });
    return { serial, results: readResults(results) };
  } finally {
    clearTimeout(timer);
    rmSync(workDir, { recursive: true, force: true });
  }
}
