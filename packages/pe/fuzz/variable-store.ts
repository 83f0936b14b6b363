// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '@vouchsafe/base';
import { decodeVariableStore, EFI_GLOBAL_VARIABLE, liveVariables, writeVariables } from '@vouchsafe/pe';
import type { FuzzTarget } from '@vouchsafe/testing';

const STORE_BYTES = 2048;

/** An empty store of 2 KiB; the header's checksum holds. */
function emptyStore(): Uint8Array {
  const file = new Uint8Array(STORE_BYTES).fill(0xff);
  const header =
    '00000000000000000000000000000000' +
    '8d2bf1ff96768b4ca9852747075b4f50' +
    '0008000000000000' +
    '5f465648' +
    'fffe0400' +
    '4800' +
    '0000' +
    '000000' +
    '02' +
    '01000000' +
    '00080000' +
    '0000000000000000';
  const store = '782cf3aa7b949a43a1802e144ec37792' + 'b8070000' + '5a' + 'fe' + '0000' + '00000000';
  file.set(parseHex(header + store));
  const view = new DataView(file.buffer);
  let sum = 0;
  for (let at = 0; at < 0x48; at += 2) sum += view.getUint16(at, true);
  view.setUint16(0x32, -sum & 0xffff, true);
  return file;
}

/** Bytes as a variable store: what is read can be written to, and the variable is then there. */
export const target: FuzzTarget = {
  name: 'pe-variable-store',
  seeds: () => {
    const empty = decodeVariableStore(emptyStore());
    const variable = {
      vendor: EFI_GLOBAL_VARIABLE,
      attributes: 7,
      timeBytes: new Uint8Array(16),
      data: Uint8Array.of(1, 2, 3),
    };
    return [
      empty.bytes,
      writeVariables(
        empty,
        ['Boot0000', 'PK', 'x'].map((name) => ({ ...variable, name })),
      ),
    ];
  },
  run(bytes) {
    const store = decodeVariableStore(bytes);
    const variable = {
      name: 'New',
      vendor: EFI_GLOBAL_VARIABLE,
      attributes: 3,
      timeBytes: new Uint8Array(16),
      data: Uint8Array.of(7),
    };
    const written = decodeVariableStore(writeVariables(store, [variable]));
    const found = liveVariables(written).filter(({ name, vendor }) => name === 'New' && vendor === EFI_GLOBAL_VARIABLE);
    if (found.length !== 1 || found[0]?.data[0] !== 7) throw new Error('the variable was not written once');
  },
};
