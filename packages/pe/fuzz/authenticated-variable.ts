// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { parseHex } from '@vouchsafe/base';
import { decodeAuthenticatedVariable } from '@vouchsafe/pe';
import { type FuzzTarget, vectorPath } from '@vouchsafe/testing';

/** Begins as an .auth file does, for when the shared vectors are not there. */
const START = '070102030405060000000000000000001a000000' + '0002f10e' + '9dd2af4adf68ee498aa9347d375665a7' + '3000';

/** Bytes as an authenticated variable. */
export const target: FuzzTarget = {
  name: 'pe-authenticated-variable',
  seeds: () => {
    const files = ['db.auth', 'db.sbvarsign.auth']
      .map((name) => vectorPath('image', 'efivars', name))
      .filter(existsSync);
    return [parseHex(START), ...files.map((path) => new Uint8Array(readFileSync(path)))];
  },
  run(bytes) {
    const { data, timeBytes } = decodeAuthenticatedVariable(bytes);
    if (timeBytes.length !== 16 || data.length >= bytes.length) throw new Error('parts longer than the whole');
  },
};
