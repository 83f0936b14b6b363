// SPDX-License-Identifier: Apache-2.0
/** One virtual machine. PCR 0 depends on its shape: memory, processors, type of processor. */
export interface MachineShape {
  readonly memoryMib: number;
  readonly processors: number;
}

/** One processor: two that are emulated wait for each other more than they help. */
export const SMALL_MACHINE: MachineShape = { memoryMib: 512, processors: 1 };

/** Where a machine's disks, firmware and TPM come from, and what it is connected to. */
export interface MachineRequest {
  readonly disk: string;
  /** Disks that firmware tries when it does not start what is on the first. */
  readonly furtherDisks?: readonly string[];
  /** Writes go into the disk's file, for what must be there after the next boot; to a scratch file unless set. */
  readonly isDiskKept?: boolean;
  /** The variable store to boot with; a copy is used. */
  readonly firmwareVariables: string;
  /** Where the TPM keeps what survives a boot; a fresh TPM when absent. `manufactureTpm` makes one with certificates. */
  readonly tpmState?: string;
  /** How the TPM is connected; a FIFO (tis) unless set. */
  readonly tpmInterface?: 'tis' | 'crb';
  readonly shape?: MachineShape;
  /** Emulation unless set: it runs anywhere, and each boot measures the same. `findAccelerator` says what works here. */
  readonly accelerator?: Accelerator;
  /** No network unless set. */
  readonly network?: NetworkRequest;
  /** systemd credentials for the system, by name: in SMBIOS strings (type 11), which systemd reads in a virtual machine. */
  readonly credentials?: Readonly<Record<string, string>>;
  /**
   * Lines that the lab's guest runs with its shell, as root, before it reports (lab/guest/report.sh); or what gives them at
   * the time when the guest asks, its system being up.
   */
  readonly orders?: readonly string[] | (() => readonly string[]);
  /** Words on the serial port that say that the boot has come as far as it should; for a guest that does not report. */
  readonly until?: RegExp;
  readonly timeoutMs?: number;
  /** Called with what the machine writes to its serial port, without escape sequences. */
  readonly onSerial?: (text: string) => void;
}

export type Accelerator = 'tcg' | 'kvm';

/**
 * A network of the machine's own, by NAT (QEMU's user network): the guest is 10.0.2.15, by DHCP too, and finds the host's
 * loopback at HOST_ADDRESS, so that a server on 127.0.0.1 of the host can be reached at the same port. What the host can
 * reach, the guest can reach.
 */
export interface NetworkRequest {
  /** Ports of the host's loopback that lead to ports of the guest. */
  readonly forwards?: readonly { readonly hostPort: number; readonly guestPort: number }[];
}

/** Where the guest finds the host's loopback. */
export const HOST_ADDRESS = '10.0.2.2';
/** The guest's own address, for one that does not ask for it. */
export const GUEST_ADDRESS = '10.0.2.15';
