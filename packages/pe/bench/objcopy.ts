// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { memorySource } from '@vouchsafe/bytes';
import { openPe } from '@vouchsafe/pe';

/** Files that an image is made of. */
export interface UkiInputs {
  readonly stub: string;
  readonly linux: string;
  readonly initrd: string;
  readonly cmdline: string;
  readonly osrel: string;
}

const PAGE = 4096;

/** Options that make objcopy build the image: each section on a page of its own behind the stub's, as systemd-stub(7) has it. */
export function objcopyArguments({ stub, linux, initrd, cmdline, osrel }: UkiInputs): string[] {
  const { sections, optionalHeader } = openPe(memorySource(Uint8Array.from(readFileSync(stub)), 'stub'));
  const end = sections.reduce(
    (most, { virtualAddress, virtualSize }) => Math.max(most, virtualAddress + virtualSize),
    0,
  );
  let address = Number(optionalHeader.imageBase) + Math.ceil(end / PAGE) * PAGE;
  return [
    ['.osrel', osrel],
    ['.cmdline', cmdline],
    ['.linux', linux],
    ['.initrd', initrd],
  ].flatMap(([name = '', path = '']) => {
    const options = ['--add-section', `${name}=${path}`, '--change-section-vma', `${name}=0x${address.toString(16)}`];
    address += Math.ceil(statSync(path).size / PAGE) * PAGE;
    return options;
  });
}
