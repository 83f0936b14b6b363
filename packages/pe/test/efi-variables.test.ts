// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, parseUtf8, toHex } from '@vouchsafe/base';
import {
  decodeAuthenticatedVariable,
  decodeSignatureLists,
  decodeVariableStore,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  efiTimeOf,
  enrolSecureBoot,
  KEY_VARIABLE_ATTRIBUTES,
  liveVariables,
  signVariable,
  VARIABLE_ATTRIBUTE,
  type VariableTarget,
  verifyAuthenticatedVariable,
  writeVariables,
} from '@vouchsafe/pe';
import { needsTool, needsVectors, tempDir } from '@vouchsafe/testing';
import { imagePath, readImage, testCertificate, testSigner } from './support.ts';

const VECTORS = needsVectors('image', 'efivars');
const TIME_MS = Date.UTC(2024, 0, 2, 3, 4, 5);

const APPEND = KEY_VARIABLE_ATTRIBUTES | VARIABLE_ATTRIBUTE.appendWrite;
const target = (name: string, attributes: number = KEY_VARIABLE_ATTRIBUTES): VariableTarget => ({
  name,
  vendor: name === 'db' ? EFI_IMAGE_SECURITY_DATABASE : EFI_GLOBAL_VARIABLE,
  attributes,
});

const AUTH: readonly [file: string, target: VariableTarget, esl: string, signer: string][] = [
  ['PK.auth', target('PK'), 'PK.esl', 'PK'],
  ['KEK.auth', target('KEK'), 'KEK.esl', 'PK'],
  ['db.auth', target('db'), 'db.esl', 'KEK'],
  ['db-append.auth', target('db', APPEND), 'db.esl', 'KEK'],
];

for (const [file, variable, esl, signer] of AUTH) {
  test(`the same octets as sign-efi-sig-list wrote: ${file}`, VECTORS, async () => {
    const bytes = readImage('efivars', file);
    const data = readImage('efivars', esl);
    assert.equal(
      toHex(await signVariable(variable, data, { signer: await testSigner(signer), timeMs: TIME_MS })),
      toHex(bytes),
    );
    const decoded = decodeAuthenticatedVariable(bytes);
    assert.deepEqual(decoded.data, data);
    assert.deepEqual(decoded.time, efiTimeOf(TIME_MS));
    assert.doesNotThrow(() => verifyAuthenticatedVariable(decoded, variable, [testCertificate(signer)]));
  });
}

test('the variable of sbvarsign, with signed attributes; it signs for an append', VECTORS, () => {
  const decoded = decodeAuthenticatedVariable(readImage('efivars', 'db.sbvarsign.auth'));
  assert.equal(decoded.time.month, 10);
  assert.equal(decodeSignatureLists(decoded.data).length, 1);
  const verify = (attributes: number) =>
    verifyAuthenticatedVariable(decoded, target('db', attributes), [testCertificate('KEK')]);
  assert.equal(verify(APPEND).signers.length, 1);
  assert.throws(() => verify(KEY_VARIABLE_ATTRIBUTES), { code: 'digest_mismatch' });
});

test('another name, vendor, attribute, signer, time or data is not what was signed', VECTORS, () => {
  const bytes = readImage('efivars', 'db.auth');
  const decoded = decodeAuthenticatedVariable(bytes);
  const kek = [testCertificate('KEK')];
  const db = target('db');
  for (const other of [
    { ...db, name: 'dbx' },
    { ...db, vendor: EFI_GLOBAL_VARIABLE },
    { ...db, attributes: APPEND },
  ]) {
    assert.throws(() => verifyAuthenticatedVariable(decoded, other, kek), { code: 'signature_invalid' });
  }
  assert.throws(() => verifyAuthenticatedVariable(decoded, db, [testCertificate('db')]), { code: 'signer_unknown' });
  for (const at of [0, bytes.length - 1]) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const variable = decodeAuthenticatedVariable(changed);
    assert.throws(() => verifyAuthenticatedVariable(variable, db, kek), { code: 'signature_invalid' });
  }
});

test('an .auth cut in its header or signature is an error', VECTORS, () => {
  const bytes = readImage('efivars', 'db.auth');
  const signatureEnd = bytes.length - readImage('efivars', 'db.esl').length;
  for (let length = 0; length < signatureEnd; length++) {
    assert.throws(() => decodeAuthenticatedVariable(bytes.subarray(0, length)), { code: 'variable_malformed' });
  }
  assert.equal(decodeAuthenticatedVariable(bytes.subarray(0, signatureEnd)).data.length, 0);
  assert.throws(() => decodeAuthenticatedVariable(new Uint8Array(4 * 1024 * 1024 + 1)), { code: 'limit' });
});

test('fields of an .auth that must be zero, or another value, are checked', VECTORS, () => {
  // Pad1, nanosecond, time zone, daylight, Pad2; then revision, type and GUID.
  for (const at of [7, 8, 11, 12, 14, 15, 20, 22, 24, 39]) {
    const bytes = readImage('efivars', 'db.auth');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    assert.throws(() => decodeAuthenticatedVariable(bytes), { code: 'variable_malformed' }, String(at));
  }
  for (const length of [0, 23, 24, 0xffff_ffff]) {
    const bytes = readImage('efivars', 'db.auth');
    new DataView(bytes.buffer).setUint32(16, length, true);
    assert.throws(() => decodeAuthenticatedVariable(bytes), { code: 'variable_malformed', offset: 16 });
  }
});

test('times that EFI_TIME cannot hold are refused', () => {
  for (const timeMs of [0.5, 1, Number.NaN, Date.UTC(1899, 11, 31), Date.UTC(10_000, 0, 1)]) {
    assert.throws(() => efiTimeOf(timeMs), { code: 'options_invalid' });
  }
  assert.equal(efiTimeOf(Date.UTC(2026, 10, 22)).month, 11);
});

interface DumpedVariable {
  readonly name: string;
  readonly guid: string;
  readonly attr: number;
  readonly data: string;
  readonly time?: string;
}

for (const store of ['OVMF_VARS_4M.bookworm', 'OVMF_VARS_4M.ms.bookworm', 'OVMF_VARS_4M.testkeys']) {
  test(`every variable that virt-fw-vars finds, and no other: ${store}`, VECTORS, () => {
    const dump: { variables: DumpedVariable[] } = JSON.parse(parseUtf8(readImage('efivars', `${store}.json`)));
    const found = liveVariables(decodeVariableStore(readImage('efivars', `${store}.fd`))).map(
      ({ name, vendor, attributes, data, timeBytes }) => ({
        name,
        guid: vendor,
        attr: attributes,
        data: toHex(data),
        ...(timeBytes.every((octet) => octet === 0) ? {} : { time: toHex(timeBytes) }),
      }),
    );
    const key = ({ name, guid }: { name: string; guid: string }): string => `${name} ${guid}`;
    const sorted = <T extends { name: string; guid: string }>(list: T[]): T[] =>
      list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    assert.deepEqual(sorted(found), sorted(dump.variables));
  });
}

const KEYS = () => ({
  pk: readImage('efivars', 'PK.esl'),
  kek: readImage('efivars', 'KEK.esl'),
  db: readImage('efivars', 'db.esl'),
  timeMs: Date.UTC(2023, 10, 14, 22, 13, 20),
});

test('keys written into an empty store are there, and the rest of the file is as it was', VECTORS, () => {
  const file = readImage('efivars', 'OVMF_VARS_4M.bookworm.fd');
  const original = Uint8Array.from(file);
  const enrolled = enrolSecureBoot(file, KEYS());
  assert.deepEqual(file, original);
  const store = decodeVariableStore(enrolled);
  assert.deepEqual(
    liveVariables(store).map(({ name, attributes, data }) => [name, attributes, data.length]),
    [
      ['PK', 0x27, KEYS().pk.length],
      ['KEK', 0x27, KEYS().kek.length],
      ['db', 0x27, KEYS().db.length],
      ['SecureBootEnable', 3, 1],
    ],
  );
  const first = decodeVariableStore(file).freeOffset;
  assert.deepEqual(enrolled.subarray(0, first), original.subarray(0, first));
  assert.deepEqual(enrolled.subarray(store.freeOffset), original.subarray(store.freeOffset));
});

test('keys written over others: one of each is live, the old records are marked deleted', VECTORS, () => {
  const before = decodeVariableStore(readImage('efivars', 'OVMF_VARS_4M.ms.bookworm.fd'));
  const dbx = readImage('efivars', 'db.esl');
  const store = decodeVariableStore(enrolSecureBoot(before.bytes, { ...KEYS(), dbx }));
  const live = liveVariables(store);
  for (const [name, data] of Object.entries({ PK: KEYS().pk, KEK: KEYS().kek, db: KEYS().db, dbx })) {
    const [only, ...more] = live.filter((variable) => variable.name === name);
    assert.deepEqual(only?.data, data, name);
    assert.equal(more.length, 0, name);
  }
  const others = ({ name }: { name: string }): boolean => !/^(PK|KEK|dbx?|SecureBootEnable)$/.test(name);
  assert.deepEqual(live.filter(others), liveVariables(before).filter(others));
  // Flash only goes from one to zero where it was written.
  for (const { offset } of before.records) {
    const old = before.bytes[offset + 2] ?? 0;
    assert.equal((store.bytes[offset + 2] ?? 0) & ~old, 0);
  }
});

test('a variable without data is deleted; one too large, twice or without a name is refused', VECTORS, () => {
  const store = decodeVariableStore(enrolSecureBoot(readImage('efivars', 'OVMF_VARS_4M.bookworm.fd'), KEYS()));
  const [pk] = liveVariables(store);
  assert.ok(pk);
  const gone = decodeVariableStore(writeVariables(store, [{ ...pk, data: new Uint8Array() }]));
  assert.ok(liveVariables(gone).every(({ name }) => name !== 'PK'));
  const room = store.endOffset - store.freeOffset - 60 - 6;
  writeVariables(store, [{ ...pk, data: new Uint8Array(room).fill(1) }]);
  assert.throws(() => writeVariables(store, [{ ...pk, data: new Uint8Array(room + 1).fill(1) }]), {
    code: 'store_full',
  });
  assert.throws(() => writeVariables(store, [pk, pk]), { code: 'options_invalid' });
  assert.throws(() => writeVariables(store, [{ ...pk, name: '' }]), { code: 'options_invalid' });
});

test('a store that is full to the last octet is read', VECTORS, () => {
  const store = decodeVariableStore(readImage('efivars', 'OVMF_VARS_4M.bookworm.fd'));
  const variable = { name: 'a', vendor: EFI_GLOBAL_VARIABLE, attributes: 3, timeBytes: new Uint8Array(16) };
  const room = store.endOffset - store.freeOffset - 60 - 4;
  const full = decodeVariableStore(writeVariables(store, [{ ...variable, data: new Uint8Array(room).fill(9) }]));
  assert.equal(full.freeOffset, full.endOffset);
  assert.equal(liveVariables(full)[0]?.data.length, room);
});

/** A record as a write leaves it that is cut short: 60 octets of header, the rest still erased. */
const CUT_SHORT: readonly [what: string, at: number, bytes: number[], recordBytes: number][] = [
  ['the state is still erased', 2, [0xff], 60],
  ['no sizes yet', 36, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 60],
  ['no attributes yet', 4, [0xff, 0xff, 0xff, 0xff], 60],
  ['a header alone, with room for name and data', 2, [0x7f], 60 + 6 + 12],
];

for (const [what, at, bytes, recordBytes] of CUT_SHORT) {
  test(`power went away during a write: ${what}`, VECTORS, () => {
    const file = readImage('efivars', 'OVMF_VARS_4M.bookworm.fd');
    const { freeOffset } = decodeVariableStore(file);
    const variable = { name: 'ab', vendor: EFI_GLOBAL_VARIABLE, attributes: 3, timeBytes: new Uint8Array(16) };
    const cut = writeVariables(decodeVariableStore(file), [{ ...variable, data: new Uint8Array(12) }]);
    cut.fill(0xff, freeOffset + 60, freeOffset + 60 + 18);
    cut.set(bytes, freeOffset + at);
    const store = decodeVariableStore(cut);
    assert.deepEqual(liveVariables(store), []);
    assert.equal(store.freeOffset, (freeOffset + recordBytes + 3) & ~3);
    // Firmware goes on behind it, and so do we.
    assert.equal(liveVariables(decodeVariableStore(enrolSecureBoot(cut, KEYS()))).length, 4);
  });
}

/** Offset of a field in the test store, its new value, 4 octets. */
const STORES: readonly [what: string, offset: number, value: number][] = [
  ['no volume signature', 0x28, 0],
  ['a volume longer than the file', 0x20, 0xffff_ffff],
  ['a header checksum that does not hold', 0x32, 0xb8b0],
  ['a store of another kind', 0x48, 0],
  ['a store longer than the volume', 0x58, 0xffff_ffff],
  ['a store shorter than its header', 0x58, 27],
  ['a store not formatted', 0x5c, 0xfe00],
  ['a variable that does not begin with 0x55aa', 0x64, 0x003f_aa55],
  ['a name longer than the limit', 0x64 + 36, 2050],
  ['a name of odd length', 0x64 + 36, 21],
  ['a name without octets', 0x64 + 36, 0],
  ['data beyond the store', 0x64 + 40, 0x4_0000],
  ['data that would wrap', 0x64 + 40, 0xffff_fffc],
];

for (const [what, offset, value] of STORES) {
  test(`a store refused: ${what}`, VECTORS, () => {
    const file = readImage('efivars', 'OVMF_VARS_4M.testkeys.fd');
    new DataView(file.buffer).setUint32(offset, value, true);
    assert.throws(() => decodeVariableStore(file), { name: 'PeError', code: 'store_malformed' });
  });
}

test('a store cut short is refused', VECTORS, () => {
  const file = readImage('efivars', 'OVMF_VARS_4M.testkeys.fd');
  for (const length of [0, 1, 0x38, 0x47, 0x48, 0x63, 0x64, 0x100, file.length - 1]) {
    assert.throws(() => decodeVariableStore(file.subarray(0, length)), { code: 'store_malformed' });
  }
});

test('sign-efi-sig-list and we write the same', needsTool('sign-efi-sig-list'), async (t) => {
  if (VECTORS.skip !== undefined) return t.skip(VECTORS.skip);
  const dir = tempDir(t);
  const [esl, auth] = [join(dir, 'in.esl'), join(dir, 'out.auth')];
  const data = concatBytes(readImage('efivars', 'db.esl'), readImage('efivars', 'KEK.esl'));
  writeFileSync(esl, data);
  const key = (name: string): string => imagePath('uki', 'keys', name);
  const args = [
    '-t',
    '2025-06-07 08:09:10',
    '-g',
    EFI_IMAGE_SECURITY_DATABASE,
    '-k',
    key('KEK.key'),
    '-c',
    key('KEK.crt'),
  ];
  execFileSync('sign-efi-sig-list', [...args, 'db', esl, auth], {
    stdio: 'ignore',
    env: { ...process.env, TZ: 'UTC' },
  });
  const options = { signer: await testSigner('KEK'), timeMs: Date.UTC(2025, 5, 7, 8, 9, 10) };
  assert.equal(toHex(await signVariable(target('db'), data, options)), readFileSync(auth).toString('hex'));
});
