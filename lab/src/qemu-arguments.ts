// SPDX-License-Identifier: Apache-2.0

/** One virtual machine. PCR 0 depends on its shape: memory, processors, type of processor. */
export interface MachineShape {
  readonly memoryMib: number;
  readonly processors: number;
}

export const SMALL_MACHINE: MachineShape = { memoryMib: 512, processors: 2 };

export interface QemuFiles {
  /** OVMF's code; without SMM it enforces Secure Boot too, once the variables hold keys. */
  readonly firmwareCode: string;
  /** This machine's own copy of the variable store: the firmware writes to it. */
  readonly firmwareVariables: string;
  /** Firmware tries them in this order. Read, never written: writes go to a scratch file. */
  readonly disks: readonly string[];
  readonly tpmSocket: string;
  readonly serialLog: string;
  /** What the guest writes to its port comes here. */
  readonly results: string;
}

/** Name of the virtio port on which a guest hands out its results. */
export const RESULTS_PORT = 'vouchsafe.results';

/** The command line of qemu-system-x86_64. Emulation only: it runs anywhere, and each boot measures the same. */
export function qemuArguments(files: QemuFiles, shape: MachineShape): string[] {
  return [
    ['-machine', 'q35,smm=off,vmport=off'],
    ['-accel', 'tcg,thread=multi'],
    ['-cpu', 'Nehalem'],
    ['-smp', String(shape.processors)],
    ['-m', String(shape.memoryMib)],
    ['-nodefaults', '-no-reboot'],
    ['-display', 'none'],
    ['-nic', 'none'],
    ['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${files.firmwareCode}`],
    ['-drive', `if=pflash,format=raw,unit=1,file=${files.firmwareVariables}`],
    ...files.disks.flatMap((disk, i) => [
      ['-drive', `if=none,id=disk${i},format=raw,snapshot=on,file=${disk}`],
      ['-device', `virtio-blk-pci,drive=disk${i},bootindex=${i + 1}`],
    ]),
    ['-chardev', `file,id=serial,path=${files.serialLog}`],
    ['-serial', 'chardev:serial'],
    ['-device', 'virtio-serial-pci'],
    ['-chardev', `file,id=results,path=${files.results}`],
    ['-device', `virtserialport,chardev=results,name=${RESULTS_PORT}`],
    ['-chardev', `socket,id=tpm,path=${files.tpmSocket}`],
    ['-tpmdev', 'emulator,id=tpm0,chardev=tpm'],
    ['-device', 'tpm-tis,tpmdev=tpm0'],
  ].flat();
}
