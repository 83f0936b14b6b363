// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { tpmDigest } from '@vouchsafe/tpm';
import { agileLog, imaEntry, imaNgData, locality, type MadeEvent, SEPARATORS } from '../test/support.ts';

const EVENTS = 112;
const wide = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf16le'));

/** UEFI_VARIABLE_DATA of a variable with that many octets. */
function variable(name: string, size: number): MadeEvent {
  const head = new Uint8Array(32);
  const view = new DataView(head.buffer);
  view.setBigUint64(16, BigInt(name.length), true);
  view.setBigUint64(24, BigInt(size), true);
  return { pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data: concatBytes(head, wide(name), new Uint8Array(size)) };
}

function image(path: string): MadeEvent {
  const node = concatBytes(Uint8Array.of(4, 4, 4 + 2 * path.length + 2, 0), wide(`${path}\0`));
  const devicePath = concatBytes(node, Uint8Array.of(0x7f, 0xff, 4, 0));
  const head = new Uint8Array(32);
  new DataView(head.buffer).setBigUint64(24, BigInt(devicePath.length), true);
  const data = concatBytes(head, devicePath);
  return { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data, measured: utf8(path) };
}

const grub = (text: string): MadeEvent => ({
  pcr: 8,
  type: 'EV_IPL',
  data: utf8(`grub_cmd: ${text}\0`),
  measured: utf8(text),
});

/**
 * A log of 112 events in three banks, with what a virtual machine's that boots through shim and GRUB has: Secure Boot's
 * variables, separators, images, and some eighty commands.
 */
export function madeFirmwareLog(): Uint8Array {
  const events: MadeEvent[] = [
    locality(0),
    { pcr: 0, type: 'EV_S_CRTM_VERSION', data: wide('GCE Virtual Firmware v1\0') },
    ...(
      [
        ['SecureBoot', 1],
        ['PK', 1130],
        ['KEK', 1560],
        ['db', 3143],
        ['dbx', 3724],
      ] as const
    ).map(([name, size]) => variable(name, size)),
    ...SEPARATORS,
    image('\\EFI\\BOOT\\BOOTX64.EFI'),
    image('\\EFI\\ubuntu\\grubx64.efi'),
    { pcr: 9, type: 'EV_IPL', data: utf8('(hd0,gpt1)/boot/grub/grub.cfg\0'), measured: utf8('the file') },
  ];
  while (events.length < EVENTS - 1) events.push(grub(`set option${events.length}=value of a usual length`));
  return agileLog(events, ['sha1', 'sha256', 'sha384']);
}

/** A list of that many entries of template ima-ng. */
export function madeImaList(count: number): Uint8Array {
  const digestOf = (text: string) => Uint8Array.from(tpmDigest('sha256', utf8(text)));
  const entries = Array.from({ length: count }, (_, i) =>
    imaEntry('ima-ng', imaNgData(`/usr/lib/x86_64-linux-gnu/lib${i}.so.1`, digestOf(String(i)))),
  );
  return concatBytes(...entries);
}
