// SPDX-License-Identifier: Apache-2.0

/** How a boot ended. */
export type BootOutcome =
  | 'reported' // the guest handed out its results and switched itself off
  | 'reached' // the words that were waited for came on the serial port
  | 'refused_by_firmware' // the firmware did not start what is on the disk
  | 'refused_by_initrd' // the initrd did not accept the root
  | 'refused_by_kernel' // dm-verity found a block that is not what the root hash says, or the kernel found no root
  | 'ended' // the machine ended without a word that we know
  | 'timed_out'
  | 'stopped'; // whoever started it stopped it

/** What the machine itself cannot say. */
export interface EndedHow {
  readonly hasResults: boolean;
  readonly isReached: boolean;
  readonly isTimeout: boolean;
  readonly isStopped: boolean;
}

/** What ends the waiting, although the machine goes on: it waits for a key, or for ever. */
export const LAST_WORDS =
  /No bootable option or device was found|UEFI Interactive Shell|Kernel panic - not syncing|You are in emergency mode|Cannot open access to console, the root account is locked/;

/** @param serial the serial log, without escape sequences. */
export function outcomeOf(serial: string, { hasResults, isReached, isTimeout, isStopped }: EndedHow): BootOutcome {
  if (/device-mapper: verity: .* is corrupted/.test(serial)) return 'refused_by_kernel';
  if (serial.includes('vouchsafe-initrd: refused:')) return 'refused_by_initrd';
  if (hasResults) return 'reported';
  if (isReached) return 'reached';
  // A kernel that runs was started by firmware, whatever that refused before.
  if (/Kernel panic - not syncing: VFS|Initramfs unpacking failed|No working init found/.test(serial)) {
    return 'refused_by_kernel';
  }
  if (refusalsOf(serial).length > 0) return 'refused_by_firmware';
  if (isStopped) return 'stopped';
  return isTimeout ? 'timed_out' : 'ended';
}

/**
 * The device paths that firmware refused to start something from, each once. EDK II, BdsDxe. Its own shell, in a firmware
 * volume, is refused too where Secure Boot is on; that says nothing of a disk.
 */
export function refusalsOf(serial: string): string[] {
  const refused = serial.matchAll(/failed to (?:load|start) [^\n]*? from (\S+): (?:Access Denied|Security Violation)/g);
  return [...new Set([...refused].map(([, path = '']) => path).filter((path) => !path.startsWith('Fv(')))];
}

/** How far a boot has come, for whoever waits. */
export type BootStage = 'firmware' | 'image' | 'initrd' | 'root' | 'results';

const STAGES: readonly (readonly [BootStage, RegExp])[] = [
  ['results', /vouchsafe-guest: reported/],
  ['root', /vouchsafe-initrd: root verified|Welcome to |systemd\[1\]: /],
  ['initrd', /vouchsafe-initrd: start/],
  ['image', /BdsDxe: starting |EFI stub: |Linux version /],
  ['firmware', /BdsDxe: /],
];

/** The furthest stage that the serial log tells of. */
export function stageOf(serial: string): BootStage | undefined {
  return STAGES.find(([, words]) => words.test(serial))?.[0];
}
