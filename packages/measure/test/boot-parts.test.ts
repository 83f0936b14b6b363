// SPDX-License-Identifier: Apache-2.0
// Parts of a boot that no recorded one has: PCR 1 and 15, and programs that Secure Boot keeps from starting.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseHex, toHex, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { decodeTcgLog, digestOf } from '@vouchsafe/eventlog';
import {
  isShim,
  openShim,
  predictBoot,
  predictBootVariables,
  predictFileSystem,
  predictMachineId,
  predictVolumeKey,
} from '@vouchsafe/measure';
import { decodeVariableStore, EFI_GLOBAL_VARIABLE, liveVariables, openPe, type PeFile } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { madePe, madeUki } from './made-uki.ts';
import { openVector } from './support.ts';

/** A UKI with a kernel that nothing runs. */
function made(stub: string): PeFile {
  const { source } = madePe([['.text', 'kernel']], 'vmlinuz');
  return madeUki(stub, [['.linux', readBytes(source, 0, source.size)]]);
}

const sha256 = (text: string): string => toHex(digest('sha256', utf8(text)));

test('PCR 1: boot entries in the order of BootOrder, by their values', needsVectors('image', 'boot'), () => {
  const log = decodeTcgLog(
    new Uint8Array(readFileSync(vectorPath('image', 'boot', 'direct-stub252', 'binary_bios_measurements'))),
  );
  const boots = log.events.filter(({ type }) => type === 'EV_EFI_VARIABLE_BOOT');
  // UEFI_VARIABLE_DATA: what the machine had in its store is in the data of the events.
  const variables = boots.map(({ data }) => {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const nameBytes = 2 * Number(view.getBigUint64(16, true));
    const name = Buffer.from(data.subarray(32, 32 + nameBytes)).toString('utf16le');
    return { name, vendor: EFI_GLOBAL_VARIABLE, data: data.subarray(32 + nameBytes) };
  });
  assert.deepEqual(
    predictBootVariables(['sha256'], variables.toReversed()).map(({ digests }) =>
      toHex(digests.get('sha256') as Uint8Array),
    ),
    boots.map((event) => toHex(digestOf(event, 'sha256') as Uint8Array)),
  );
});

test('PCR 1: without an order, with half of one, or with an entry that is not there, nothing is made up', () => {
  const order = (data: Uint8Array) => [{ name: 'BootOrder', vendor: EFI_GLOBAL_VARIABLE, data }];
  assert.deepEqual(predictBootVariables(['sha256'], []), []);
  assert.deepEqual(predictBootVariables(['sha256'], order(Uint8Array.of(1))), []);
  assert.equal(predictBootVariables(['sha256'], order(Uint8Array.of(0x1a, 0))).length, 1);
});

test('PCR 15: machine id and file systems as systemd words them', () => {
  const id = '0123456789abcdef0123456789abcdef';
  assert.equal(toHex(predictMachineId(['sha256'], id).digests.get('sha256') as Uint8Array), sha256(`machine-id:${id}`));
  assert.throws(() => predictMachineId(['sha256'], id.toUpperCase()), { code: 'options_invalid' });
  const root = predictFileSystem(['sha256'], {
    path: '/',
    type: 'erofs',
    uuid: 'u',
    label: 'a:b\\',
    partitionName: 'root',
  });
  assert.equal(toHex(root.digests.get('sha256') as Uint8Array), sha256('file-system:/:erofs:u:a\\x3ab\\x5c:::root'));
  assert.equal(
    toHex(predictFileSystem(['sha256'], { path: '/var' }).digests.get('sha256') as Uint8Array),
    sha256('file-system:/var::::::'),
  );
});

test('PCR 15: a volume key is measured under itself', () => {
  const key = parseHex(`${'00'.repeat(31)}01`);
  const event = predictVolumeKey(['sha256'], { name: 'var', uuid: 'cafe', key });
  const expected = createHmac('sha256', key).update('cryptsetup:var:cafe').digest('hex');
  assert.deepEqual([event.pcr, toHex(event.digests.get('sha256') as Uint8Array)], [15, expected]);
});

test('what Secure Boot does not let start is no boot, by either key', needsVectors('image', 'efivars'), () => {
  const store = readFileSync(vectorPath('image', 'efivars', 'OVMF_VARS_4M.testkeys.fd'));
  const variables = liveVariables(decodeVariableStore(store));
  const signed = openVector('boot', 'uki-257.13-signed.efi');
  const unsigned = openVector('boot', 'uki-257.13.efi');
  const events = predictBoot(['sha256'], { uki: signed, variables }, { isSecureBootOn: true }).events;
  assert.equal(events.filter(({ pcr }) => pcr === 7).length, 7);
  assert.throws(() => predictBoot(['sha256'], { uki: unsigned, variables }, { isSecureBootOn: true }), {
    code: 'not_started',
  });
  assert.equal(
    predictBoot(['sha256'], { uki: unsigned, variables }, { isSecureBootOn: false }).covers.includes(7),
    true,
  );
  assert.throws(() => predictBoot(['sha256'], { uki: signed, variables: [] }, { isSecureBootOn: true }), {
    code: 'not_started',
  });
});

test('PCRs that cannot be known are said with the reason, and refused when asked for by number', () => {
  const uki = made('252.39');
  const { covers, unpredicted } = predictBoot(['sha256'], { uki }, { isSecureBootOn: true });
  assert.deepEqual(covers, [4, 9, 11, 12, 13, 14]);
  assert.deepEqual(
    unpredicted.map(({ pcr, why }) => [pcr, why]),
    [
      [0, 'machine'],
      [1, 'machine'],
      [2, 'machine'],
      [3, 'machine'],
      [5, 'missing'],
      [6, 'machine'],
      [7, 'missing'],
      [10, 'machine'],
      [15, 'machine'],
    ],
  );
  for (const pcr of [0, 5, 7, 15]) {
    assert.throws(() => predictBoot(['sha256'], { uki }, { isSecureBootOn: true, pcrs: [pcr] }), {
      code: 'machine_dependent',
    });
  }
  const newer = predictBoot(['sha256'], { uki: made('262.1') }, { isSecureBootOn: false });
  assert.deepEqual(
    newer.unpredicted.filter(({ why }) => why === 'unknown').map(({ pcr }) => pcr),
    [9],
  );
  const between = predictBoot(['sha256'], { uki: made('260.1') }, { isSecureBootOn: false });
  assert.deepEqual(
    between.unpredicted.filter(({ why }) => why === 'unknown').map(({ pcr }) => pcr),
    [4, 9],
  );
  assert.throws(() => predictBoot(['sha256'], { uki: made('262.1') }, { isSecureBootOn: false, pcrs: [9] }), {
    code: 'stub_unknown',
  });
});

test('a program that is no shim is not taken for one', () => {
  const uki = made('252.39');
  assert.equal(isShim(uki), false);
  assert.throws(() => openShim(uki), { code: 'loader_unknown' });
  assert.throws(() => openShim(openPe(memorySource(new Uint8Array(3)))), { name: 'PeError' });
});
