// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import { FIRMWARE_CODE, FIRMWARE_VARIABLES } from './firmware.ts';
import type { Accelerator } from './machine-request.ts';
import { firmwareArguments } from './qemu-arguments.ts';

/** Under a KVM that works, OVMF speaks within a second. */
const PROBE_MS = 5000;

let found: Promise<Accelerator> | undefined;

/**
 * KVM where OVMF really runs under it, else emulation. Some hosts have a /dev/kvm that does not carry firmware (nested, or
 * without unrestricted guests), so that only trying tells; once for this process.
 */
export async function findAccelerator(): Promise<Accelerator> {
  found ??= runsUnderKvm().then((isRunning) => (isRunning ? 'kvm' : 'tcg'));
  return await found;
}

async function runsUnderKvm(): Promise<boolean> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const workDir = mkdtempSync(join(tmpdir(), 'vouchsafe-kvm-'));
  try {
    const files = { firmwareCode: FIRMWARE_CODE, firmwareVariables: join(workDir, 'variables.fd') };
    copyFileSync(FIRMWARE_VARIABLES, files.firmwareVariables);
    let hasSpoken = false;
    const args = firmwareArguments(files, { memoryMib: 256, processors: 1 }, 'kvm');
    const spoken = new Promise<void>((resolve) => {
      const probe = Child.start('qemu-system-x86_64', args, () => {
        hasSpoken = true;
        void probe.stop();
      });
      const timer = setTimeout(() => void probe.stop(), PROBE_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      probe.exited.then(end, end);
    });
    await spoken;
    return hasSpoken;
  } catch {
    return false;
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}
