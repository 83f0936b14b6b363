// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import {
  ccObstacle,
  describeParity,
  dmModObstacle,
  formatCcRootfsVerity,
  formatDmModCreate,
  formatDmTable,
  formatKataParameters,
  formatLoadPinDigests,
  formatRoothash,
  formatUsrhash,
  kataObstacle,
  requireRootHash,
  type SystemdDescription,
  systemdObstacle,
  type VerityDescription,
} from '@vouchsafe/verity';
import { stream } from './fec-support.ts';
import { formatInMemory, treeOptions } from './tree-support.ts';

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

test('the optional arguments are counted by words, in the order of libcryptsetup', () => {
  const parity = { device: '8:3', offset: 8192, roots: 24, blocks: 206_500 };
  const words = 'use_fec_from_device 8:3 fec_start 2 fec_blocks 206500 fec_roots 24';
  assert.equal(formatDmTable({ ...LINUX, parity }), `${TABLE} 8 ${words}`);
  assert.equal(formatDmTable({ ...LINUX, onCorruption: 'panic' }), `${TABLE} 1 panic_on_corruption`);
  assert.equal(formatDmTable({ ...LINUX, ignoresZeroBlocks: false }), TABLE);
  const all = { ...LINUX, parity, onCorruption: 'restart', ignoresZeroBlocks: true, signatureKey: 'root:1' } as const;
  assert.equal(
    formatDmTable(all),
    `${TABLE} 12 restart_on_corruption ignore_zero_blocks ${words} root_hash_sig_key_desc root:1`,
  );
  for (const bad of ['', 'a b', 'a\nb']) {
    assert.throws(() => formatDmTable({ ...LINUX, signatureKey: bad }), { code: 'options_invalid' });
    assert.throws(() => formatDmTable({ ...LINUX, parity: { ...parity, device: bad } }), { code: 'options_invalid' });
  }
  const comma = { ...LINUX, parity: { ...parity, device: 'a,b' } };
  assert.throws(() => formatDmModCreate(comma, 'x'), { code: 'options_invalid' });
  assert.equal(dmModObstacle({ ...LINUX, parity }), undefined);
  assert.equal(typeof dmModObstacle(all), 'string');
});

test('parity covers the data and the hash area as it was made, to its end or to the parity', () => {
  const { parameters, place } = LINUX;
  // A superblock's block, 1600 and 13 and 1 hash blocks, and three behind them.
  const hashSizeBytes = (1 + 1614 + 3) * 4096;
  const request = { parameters, place, hashSizeBytes, device: 'fec', isOnHashDevice: false, offset: 0, roots: 2 };
  assert.deepEqual(describeParity(request), { device: 'fec', offset: 0, roots: 2, blocks: 204_800 + 1617 });
  const behind = { ...request, isOnHashDevice: true, offset: (1 + 1615) * 4096 };
  assert.equal(describeParity(behind).blocks, 204_800 + 1615);
  for (const offset of [-4096, 1, 512, Number.NaN]) {
    assert.throws(() => describeParity({ ...request, offset }), { code: 'options_invalid' });
  }
  for (const roots of [1, 25]) assert.throws(() => describeParity({ ...request, roots }), { code: 'fec_roots' });
  const unequal = { ...request, parameters: { ...parameters, hashBlockSize: 512 } };
  assert.throws(() => describeParity(unequal), { code: 'fec_geometry' });
});

const { dataDevice: _data, hashDevice: _hash, ...TREE } = LINUX;

test('what systemd reads: the root hash, and what cannot be known from it', () => {
  assert.equal(formatRoothash(TREE), `roothash=${ROOT}`);
  assert.equal(formatUsrhash(TREE), `usrhash=${ROOT}`);
  const named: SystemdDescription = { ...TREE, dataDevice: '/dev/sda1', hashDevice: 'PARTUUID=1234' };
  assert.equal(
    formatRoothash(named),
    `roothash=${ROOT} systemd.verity_root_data=/dev/sda1 systemd.verity_root_hash=PARTUUID=1234`,
  );
  assert.equal(formatUsrhash({ ...TREE, hashDevice: '/dev/sdb' }), `usrhash=${ROOT} systemd.verity_usr_hash=/dev/sdb`);
  const offset = { ...TREE, place: { offset: 4096, hasSuperblock: true } };
  assert.equal(formatUsrhash(offset), `usrhash=${ROOT} systemd.verity_usr_options=hash-offset=4096`);
  const bare = { ...TREE, place: { offset: 4096, hasSuperblock: false } };
  const sizes = 'data-block-size=4096,hash-block-size=4096,data-blocks=204800,hash-offset=4096';
  assert.equal(
    formatRoothash(bare),
    `roothash=${ROOT} systemd.verity_root_options=superblock=no,format=1,hash=sha256,salt=${SALT},${sizes}`,
  );
  // systemd makes a salt up where none is named.
  assert.match(formatRoothash({ ...bare, parameters: { ...TREE.parameters, salt: new Uint8Array(0) } }), /,salt=-,/);
  const parity = { device: '/dev/sdc', offset: 8192, roots: 4, blocks: 206_414 };
  assert.equal(
    formatRoothash({ ...TREE, parity, onCorruption: 'restart', ignoresZeroBlocks: true }),
    `roothash=${ROOT} systemd.verity_root_options=restart-on-corruption,ignore-zero-blocks,fec-device=/dev/sdc,fec-roots=4,fec-offset=8192`,
  );
  for (const name of ['', 'a b', "a'b", 'a"b', 'a\\b', 'a\nb']) {
    assert.throws(() => formatRoothash({ ...TREE, dataDevice: name }), { code: 'options_invalid' });
    assert.throws(() => formatRoothash({ ...TREE, parity: { ...parity, device: name } }), { code: 'options_invalid' });
  }
  assert.throws(() => formatRoothash({ ...TREE, parity: { ...parity, device: 'a,b' } }), { code: 'options_invalid' });
  assert.equal(systemdObstacle(TREE), undefined);
  assert.equal(typeof systemdObstacle({ ...TREE, signatureKey: 'a' }), 'string');
});

test('what confidential containers read, and the trees they cannot boot', () => {
  assert.equal(formatCcRootfsVerity(LINUX), `cc_rootfs_verity.scheme=dm-verity cc_rootfs_verity.hash=${ROOT}`);
  assert.equal(ccObstacle(LINUX), undefined);
  for (const place of [
    { offset: 0, hasSuperblock: false },
    { offset: 512, hasSuperblock: true },
  ]) {
    assert.equal(typeof ccObstacle({ ...LINUX, place }), 'string');
  }
  assert.equal(typeof ccObstacle({ ...LINUX, onCorruption: 'panic' }), 'string');
});

test('a root hash is that of the tree, or is refused', async () => {
  const options = treeOptions('--data-block-size=512 --hash-block-size=512 --salt=00');
  const made = await formatInMemory(stream(1, 100 * 512), options);
  const request = { ...made, hash: memorySource(made.hash) };
  requireRootHash(request);
  const other = made.rootHash.slice();
  other[31]! ^= 1;
  assert.throws(() => requireRootHash({ ...request, rootHash: other }), { code: 'root_mismatch' });
  for (const rootHash of [other.subarray(1), new Uint8Array(0), new Uint8Array(33)]) {
    assert.throws(() => requireRootHash({ ...request, rootHash }), { code: 'options_invalid' });
  }
  const short = memorySource(made.hash.subarray(0, -1));
  assert.throws(() => requireRootHash({ ...request, hash: short }), { code: 'tree_short' });
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
    { ...kata, ignoresZeroBlocks: true },
    { ...kata, signatureKey: 'a' },
    { ...kata, parity: { device: 'a', offset: 0, roots: 2, blocks: 206_414 } },
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
