// SPDX-License-Identifier: Apache-2.0
import {
  type Accelerator,
  type MachineRequest,
  type MachineShape,
  type NetworkRequest,
  SMALL_MACHINE,
} from './machine-request.ts';
import { RESULTS_PORT } from './results.ts';

export interface QemuFiles {
  readonly firmwareCode: string;
  /** This machine's own copy of the variable store: the firmware writes to it. */
  readonly firmwareVariables: string;
  /** Firmware tries them in this order. */
  readonly disks: readonly string[];
  readonly tpmSocket: string;
  /** What the guest writes to its port comes here. */
  readonly results: string;
}

/**
 * Emulated, it is a processor that every boot test has had; under KVM it must be the host's. One alone is emulated without
 * the locks that several take of each other: a boot is a fifth less work, and does not stand still on a busy host.
 */
const PROCESSOR: Readonly<Record<Accelerator, (count: number) => readonly string[]>> = {
  tcg: (count) => ['-accel', `tcg,thread=${count === 1 ? 'single' : 'multi'}`, '-cpu', 'Nehalem'],
  kvm: () => ['-accel', 'kvm', '-cpu', 'host'],
};

/** The processor, the memory and OVMF of any machine of the lab. The serial port is standard input and output. */
export function firmwareArguments(
  { firmwareCode, firmwareVariables }: Pick<QemuFiles, 'firmwareCode' | 'firmwareVariables'>,
  { memoryMib, processors }: MachineShape,
  accelerator: Accelerator,
): string[] {
  return [
    ...['-machine', 'q35,smm=off,vmport=off', ...PROCESSOR[accelerator](processors)],
    ...['-smp', String(processors), '-m', String(memoryMib)],
    ...['-nodefaults', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=serial,signal=off', '-serial', 'chardev:serial'],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${value(firmwareCode)}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${value(firmwareVariables)}`],
  ];
}

/** The command line of qemu-system-x86_64. */
export function qemuArguments(files: QemuFiles, request: MachineRequest): string[] {
  const { shape = SMALL_MACHINE, accelerator = 'tcg', tpmInterface = 'tis', network, credentials = {} } = request;
  const snapshot = request.isDiskKept === true ? 'off' : 'on';
  return [
    ...firmwareArguments(files, shape, accelerator),
    ...networkArguments(network),
    ...files.disks.flatMap((disk, i) => [
      ...['-drive', `if=none,id=disk${i},format=raw,snapshot=${snapshot},file=${value(disk)}`],
      ...['-device', `virtio-blk-pci,drive=disk${i},bootindex=${i + 1}`],
    ]),
    ...['-device', 'virtio-serial-pci'],
    ...['-chardev', `file,id=results,path=${value(files.results)}`],
    ...['-device', `virtserialport,chardev=results,name=${RESULTS_PORT}`],
    ...['-chardev', `socket,id=tpm,path=${value(files.tpmSocket)}`],
    ...['-tpmdev', 'emulator,id=tpm0,chardev=tpm'],
    ...['-device', `tpm-${tpmInterface},tpmdev=tpm0`],
    ...Object.entries(credentials).flatMap(([name, content]) => [
      '-smbios',
      `type=11,value=${value(`io.systemd.credential:${name}=${content}`)}`,
    ]),
  ];
}

/** Without an option ROM: firmware would measure it, and wait for a boot from the network. */
function networkArguments(network: NetworkRequest | undefined): string[] {
  if (network === undefined) return ['-nic', 'none'];
  const forwards = (network.forwards ?? []).map(
    ({ hostPort, guestPort }) => `,hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`,
  );
  return ['-netdev', `user,id=net0${forwards.join('')}`, '-device', 'virtio-net-pci,netdev=net0,romfile='];
}

/** QEMU splits its options at commas; one that is meant is doubled. */
const value = (text: string): string => text.replaceAll(',', ',,');
