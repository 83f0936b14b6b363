// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatCcRootfsVerity,
  formatDmModCreate,
  formatDmTable,
  formatKataParameters,
  formatLoadPinDigests,
  formatRoothash,
  formatUsrhash,
  kataObstacle,
  type VerityDescription,
} from '@vouchsafe/verity';

const ROOT = 'fb1a5a0f00deb908d8b53cb270858975e76cf64105d412ce764225d53b8f3cfd';
const SALT = '51934789604d1b92399c52e7cb149d1b3a1b74bbbcb103b2a0aaacbed5c08584';
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** The example of Linux, Documentation/admin-guide/device-mapper/dm-init.rst, "verity". */
const LINUX: VerityDescription = {
  parameters: {
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: 4096,
    hashBlockSize: 4096,
    dataBlocks: 204_800,
    salt: hex(SALT),
  },
  place: { offset: 0, hasSuperblock: true },
  rootHash: hex(ROOT),
  dataDevice: '8:1',
  hashDevice: '8:2',
};
const TABLE = `0 1638400 verity 1 8:1 8:2 4096 4096 204800 1 sha256 ${ROOT} ${SALT}`;

test('the table is that of the kernel documentation', () => {
  assert.equal(formatDmTable(LINUX), TABLE);
  assert.equal(formatDmModCreate(LINUX, 'dm-verity'), `dm-mod.create="dm-verity,,,ro,${TABLE}"`);
});

test('the table counts sectors of 512 octets and hash blocks, and has a dash for no salt', () => {
  const parameters = { ...LINUX.parameters, dataBlockSize: 1024, hashBlockSize: 512, salt: new Uint8Array(0) };
  const table = formatDmTable({ ...LINUX, parameters, place: { offset: 2048, hasSuperblock: false } });
  assert.equal(table, `0 409600 verity 1 8:1 8:2 1024 512 204800 4 sha256 ${ROOT} -`);
});

test('names that would end a field are refused', () => {
  for (const name of ['', 'a,b', 'a;b', 'a"b', 'a b', 'a\\b', 'a\nb']) {
    assert.throws(() => formatDmModCreate(LINUX, name), { code: 'options_invalid' });
    assert.throws(() => formatDmModCreate({ ...LINUX, hashDevice: name }, 'x'), { code: 'options_invalid' });
  }
  for (const dataDevice of ['', 'a b', 'a\nb', 'a\\b']) {
    assert.throws(() => formatDmTable({ ...LINUX, dataDevice }), { code: 'options_invalid' });
  }
});

test('what systemd and confidential containers read', () => {
  assert.equal(formatRoothash(LINUX), `roothash=${ROOT}`);
  assert.equal(formatUsrhash(LINUX), `usrhash=${ROOT}`);
  assert.equal(formatCcRootfsVerity(LINUX), `cc_rootfs_verity.scheme=dm-verity cc_rootfs_verity.hash=${ROOT}`);
});

test('what kata-containers reads, and the trees it cannot boot', () => {
  const kata = { ...LINUX, place: { offset: 0, hasSuperblock: false } };
  assert.equal(
    formatKataParameters(kata),
    `root_hash=${ROOT},salt=${SALT},data_blocks=204800,data_block_size=4096,hash_block_size=4096`,
  );
  assert.equal(kataObstacle(kata), undefined);
  for (const other of [
    LINUX,
    { ...kata, place: { offset: 4096, hasSuperblock: false } },
    { ...kata, parameters: { ...kata.parameters, algorithm: 'sha512' as const } },
    { ...kata, parameters: { ...kata.parameters, hashType: 0 as const } },
    { ...kata, parameters: { ...kata.parameters, salt: new Uint8Array(0) } },
  ]) {
    assert.equal(typeof kataObstacle(other), 'string');
  }
});

test('the file that LoadPin reads, which is less than a page', () => {
  const head = '# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS\n';
  assert.equal(formatLoadPinDigests([LINUX.rootHash, hex(SALT)]), `${head}${ROOT}\n${SALT}\n`);
  assert.throws(() => formatLoadPinDigests([]), { code: 'options_invalid' });
  const most = Math.floor((4095 - head.length) / 65);
  assert.equal(formatLoadPinDigests(new Array(most).fill(LINUX.rootHash)).length, head.length + 65 * most);
  assert.throws(() => formatLoadPinDigests(new Array(most + 1).fill(LINUX.rootHash)), { code: 'options_invalid' });
});
