// SPDX-License-Identifier: Apache-2.0
// Values of variables, texts, tags, headers, tables and Windows' events: each decoded, and each malformed one raw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseHex, utf8 } from '@vouchsafe/base';
import { encode, u32le } from '@vouchsafe/codec';
import {
  coverageOf,
  decodeEventData,
  decodeTcgLog,
  decodeVariableValue,
  decodeWbcl,
  type EventData,
  SHIM_LOCK,
  type TcgEvent,
  trustOf,
} from '@vouchsafe/eventlog';
import { EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE, encodeSignatureLists } from '@vouchsafe/pe';
import fc from 'fast-check';
import { agileLog, codeOf, type MadeEvent } from './support.ts';

const wide = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf16le'));

function eventOf(made: MadeEvent): TcgEvent {
  const [, event] = decodeTcgLog(agileLog([made])).events;
  assert.ok(event !== undefined);
  return event;
}

const contentOf = (made: MadeEvent): EventData => decodeEventData(eventOf(made));

const OWNER = '77fa9abd-0359-4d32-bd60-28f4e78f784b';
const DB = encodeSignatureLists([
  { type: 'sha256', signatures: [{ owner: OWNER, data: new Uint8Array(32).fill(1) }] },
  { type: 'x509', signatures: [{ owner: OWNER, data: utf8('certificate') }] },
]);

test('variables: switches, signature lists, boot order, SBAT', () => {
  const value = (vendor: string, name: string, data: Uint8Array) => decodeVariableValue(vendor, name, data, false);
  assert.deepEqual(value(EFI_GLOBAL_VARIABLE, 'SecureBoot', Uint8Array.of(1)), { kind: 'switch', isOn: true });
  assert.deepEqual(value(EFI_GLOBAL_VARIABLE, 'SetupMode', Uint8Array.of(0)), { kind: 'switch', isOn: false });
  assert.deepEqual(value(EFI_GLOBAL_VARIABLE, 'SecureBoot', new Uint8Array()), { kind: 'switch', isOn: false });
  const db = value(EFI_IMAGE_SECURITY_DATABASE, 'db', DB);
  assert.ok(db.kind === 'signatureLists');
  assert.deepEqual(
    db.lists.map(({ type, signatures }) => [type, signatures.length]),
    [
      ['sha256', 1],
      ['x509', 1],
    ],
  );
  assert.equal(value(SHIM_LOCK, 'MokList', DB).kind, 'signatureLists');
  // Another vendor's db is not known.
  assert.equal(value(OWNER, 'db', DB).kind, 'raw');
  assert.deepEqual(value(EFI_GLOBAL_VARIABLE, 'BootOrder', parseHex('010000000a00')), {
    kind: 'bootOrder',
    entries: [1, 0, 10],
  });
  assert.equal(value(EFI_GLOBAL_VARIABLE, 'BootOrder', parseHex('010000')).kind, 'raw');
  assert.equal(value(EFI_GLOBAL_VARIABLE, 'Boot000A', parseHex('01')).kind, 'raw');
  const sbat = value(SHIM_LOCK, 'SbatLevel', utf8('sbat,1,2021030218\n'));
  assert.ok(sbat.kind === 'sbatLevel');
  assert.equal(sbat.level?.datestamp, '2021030218');
});

test('A23: signature lists whose sizes contradict each other are raw, with the reason', () => {
  const put = (at: number, value: number): Uint8Array => {
    const changed = DB.slice();
    changed.set(encode(u32le, value), at);
    return changed;
  };
  // SignatureListSize, SignatureHeaderSize, SignatureSize.
  for (const [at, value] of [
    [16, 0],
    [16, 27],
    [16, 0xffff_ffff],
    [20, 1],
    [20, 0xffff_fff0],
    [24, 0],
    [24, 15],
    [24, 47],
    [24, 0x8000_0000],
  ] as const) {
    const decoded = decodeVariableValue(EFI_IMAGE_SECURITY_DATABASE, 'dbx', put(at, value), false);
    assert.ok(decoded.kind === 'raw' && decoded.reason !== undefined, `${at}: ${value}`);
  }
});

test('authorities: one entry of the database, with its owner', () => {
  const certificate = utf8('certificate');
  const entry = concatBytes(parseHex('bd9afa775903324dbd6028f4e78f784b'), certificate);
  const decoded = decodeVariableValue(EFI_IMAGE_SECURITY_DATABASE, 'db', entry, true);
  assert.deepEqual(decoded, { kind: 'signature', signature: { owner: OWNER, data: certificate } });
  assert.equal(decodeVariableValue(EFI_IMAGE_SECURITY_DATABASE, 'db', new Uint8Array(16), true).kind, 'raw');
});

test('GRUB: the text without its first word is what is measured', () => {
  for (const [prefix, what] of [
    ['grub_cmd: ', 'command'],
    ['kernel_cmdline: ', 'kernel command line'],
    ['module_cmdline: ', 'module command line'],
  ] as const) {
    const made: MadeEvent = {
      pcr: 8,
      type: 'EV_IPL',
      data: utf8(`${prefix}linux /vmlinuz\0`),
      measured: utf8('linux /vmlinuz'),
    };
    const content = contentOf(made);
    assert.ok(content.kind === 'text');
    assert.deepEqual(content.meaning, { writer: 'grub', what, argument: 'linux /vmlinuz' });
    assert.equal(coverageOf(eventOf(made), 'sha256'), 'text');
    // A15: another text with the same digest is only a claim.
    const forged = { ...made, data: utf8(`${prefix}linux /vmlinuz init=/bin/sh\0`) };
    assert.equal(trustOf(eventOf(forged), 'sha256'), 'claimed');
  }
  const file = contentOf({ pcr: 9, type: 'EV_IPL', data: utf8('/boot/vmlinuz\0'), measured: utf8('the kernel') });
  assert.ok(file.kind === 'text' && file.meaning?.what === 'file');
  const mok = contentOf({ pcr: 14, type: 'EV_IPL', data: utf8('MokList\0'), measured: DB });
  assert.ok(mok.kind === 'text' && mok.meaning?.writer === 'shim');
});

test("systemd's stub: names of sections, archives, command lines, and its tags", () => {
  const section = (measured: Uint8Array): MadeEvent => ({ pcr: 11, type: 'EV_IPL', data: wide('.linux\0'), measured });
  assert.equal(trustOf(eventOf(section(utf8('.linux\0'))), 'sha256'), 'measured');
  assert.equal(trustOf(eventOf(section(utf8('the kernel'))), 'sha256'), 'claimed');
  const meaning = (pcr: number, text: string) => {
    const content = contentOf({ pcr, type: 'EV_IPL', data: wide(`${text}\0`), measured: utf8('x') });
    return content.kind === 'text' ? content.meaning?.what : content.kind;
  };
  assert.equal(meaning(11, '.cmdline'), 'section');
  assert.equal(meaning(12, 'Credentials initrd'), 'credentials');
  assert.equal(meaning(12, 'Global credentials initrd'), 'credentials');
  assert.equal(meaning(13, 'System extension initrd'), 'system extensions');
  assert.equal(meaning(12, 'Configuration extension initrd'), 'configuration extensions');
  assert.equal(meaning(12, 'quiet root=/dev/vda2'), 'load options');
  const tagged = (tag: number, text: Uint8Array): MadeEvent => ({
    pcr: 12,
    type: 'EV_EVENT_TAG',
    data: concatBytes(encode(u32le, tag), encode(u32le, text.length), text),
    measured: text,
  });
  for (const [tag, what] of [
    [0xf5bc582a, 'loader.conf'],
    [0x6c46f751, 'devicetree addon'],
    [0x49dffe0f, 'initrd addon'],
    [0xdac08e1a, 'microcode addon'],
    [0x13aed6db, 'profile'],
    [0x8f3b22ed, 'kernel command line'],
    [0x8f3b22ec, 'initrd'],
  ] as const) {
    const content = contentOf(tagged(tag, wide('text\0')));
    assert.ok(content.kind === 'tagged' && content.meaning?.what === what, what);
  }
  const smbios = contentOf({ ...tagged(0x1234, wide('smbios:type1\0')), pcr: 1 });
  assert.ok(smbios.kind === 'tagged' && smbios.meaning?.what === 'SMBIOS');
  assert.equal(trustOf(eventOf(tagged(0x1234, wide('text\0'))), 'sha256'), 'partly');
});

test('headers of SHA-1 logs, and SP 800-155 events of each version', () => {
  const noAction = (data: Uint8Array): EventData => contentOf({ pcr: 0, type: 'EV_NO_ACTION', data });
  for (const number of ['00', '02']) {
    const old = noAction(
      concatBytes(utf8(`Spec ID Event${number}\0`), parseHex('00000000' + '14' + '01' + '02' + '02' + '00')),
    );
    assert.ok(old.kind === 'specIdSha1');
    assert.deepEqual([old.specId.specVersionMajor, old.specId.platformClass], [1, 'client']);
  }
  const ids = concatBytes(encode(u32le, 0x1234), parseHex('bd9afa775903324dbd6028f4e78f784b'));
  const first = noAction(concatBytes(utf8('SP800-155 Event\0'), ids));
  assert.ok(first.kind === 'sp800155' && first.version === 1);
  assert.equal(first.platformId.referenceManifestGuid, OWNER);
  const text = (value: string): Uint8Array => concatBytes(Uint8Array.of(value.length), utf8(value));
  const platform = concatBytes(
    ids,
    text('Maker'),
    text('Model'),
    text('1'),
    text('Firm'),
    encode(u32le, 7),
    text('2.0'),
  );
  const second = noAction(concatBytes(utf8('SP800-155 Event2'), platform));
  assert.ok(second.kind === 'sp800155' && second.version === 2);
  assert.deepEqual(second.platformId.platformModel, utf8('Model'));
  const locator = concatBytes(encode(u32le, 1), encode(u32le, 5), utf8('https'));
  const data = concatBytes(utf8('SP800-155 Event3'), platform, locator, locator);
  const third = noAction(data);
  assert.ok(third.kind === 'sp800155' && third.version === 3);
  assert.deepEqual([third.platformId.rimLocatorType, third.platformId.rimLocator], [1, utf8('https')]);
  for (let size = 16; size < data.length; size++) assert.equal(noAction(data.subarray(0, size)).kind, 'raw');
});

test('handoff tables and SPDM events', () => {
  const table = concatBytes(
    parseHex('0100000000000000'),
    parseHex('bd9afa775903324dbd6028f4e78f784b'),
    new Uint8Array(8),
  );
  const old = contentOf({ pcr: 1, type: 'EV_EFI_HANDOFF_TABLES', data: table });
  assert.ok(old.kind === 'handoffTables');
  assert.equal(old.tables[0]?.vendorGuid, OWNER);
  const described = concatBytes(Uint8Array.of(4), utf8('ACPI'), table);
  const newer = contentOf({ pcr: 1, type: 'EV_EFI_HANDOFF_TABLES2', data: described });
  assert.ok(newer.kind === 'handoffTables' && newer.description === 'ACPI');
  assert.equal(contentOf({ pcr: 1, type: 'EV_EFI_HANDOFF_TABLES', data: table.subarray(1) }).kind, 'raw');
  for (const [signature, version] of [
    ['SPDM Device Sec\0', 1],
    ['SPDM Device Sec2', 2],
  ] as const) {
    const spdm = contentOf({ pcr: 2, type: 'EV_EFI_SPDM_FIRMWARE_BLOB', data: utf8(`${signature}rest`) });
    assert.ok(spdm.kind === 'spdm' && spdm.version === version);
  }
  assert.equal(contentOf({ pcr: 2, type: 'EV_EFI_SPDM_FIRMWARE_BLOB', data: utf8('else') }).kind, 'raw');
});

test('Windows: aggregations of events, by name; texts; depth and counts end', () => {
  const sipa = (type: number, data: Uint8Array): Uint8Array =>
    concatBytes(encode(u32le, type), encode(u32le, data.length), data);
  const path = sipa(0x00070001, wide('\\Windows\\winload.efi\0'));
  const data = sipa(
    0x40010001,
    concatBytes(sipa(0x40010003, path), sipa(0x00050002, Uint8Array.of(1)), sipa(0x7777, Uint8Array.of(9))),
  );
  const content = contentOf({ pcr: 13, type: 'EV_EVENT_TAG', data });
  assert.ok(content.kind === 'windows');
  const [boundary] = content.events;
  assert.equal(boundary?.name, 'TRUSTBOUNDARY');
  assert.deepEqual(
    boundary?.events.map(({ name, type }) => name ?? type),
    ['LOADEDMODULE_AGGREGATION', 'CODEINTEGRITY', 0x7777],
  );
  assert.equal(boundary?.events[0]?.events[0]?.text, '\\Windows\\winload.efi');
  let deep = path;
  for (let i = 0; i < 10; i++) deep = sipa(0x40010001, deep);
  assert.equal(
    codeOf(() => decodeWbcl(deep)),
    'limit',
  );
  const many = new Uint8Array(8 * 16_385);
  assert.equal(
    codeOf(() => decodeWbcl(many)),
    'limit',
  );
  assert.equal(decodeWbcl(many.subarray(8)).length, 16_384);
  // Most truncations leave an aggregation that is longer than what is there.
  for (let size = 1; size < 8; size++) {
    assert.equal(
      codeOf(() => decodeWbcl(data.subarray(0, size))),
      'truncated',
    );
  }
});

test('no data makes decoding throw, whatever the type', () => {
  const types = [
    'EV_EFI_VARIABLE_DRIVER_CONFIG',
    'EV_EFI_VARIABLE_AUTHORITY',
    'EV_EFI_HANDOFF_TABLES2',
    'EV_EFI_BOOT_SERVICES_APPLICATION',
    'EV_EVENT_TAG',
    'EV_NO_ACTION',
    'EV_IPL',
    'EV_POST_CODE2',
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 160 }), (type, data) => {
      const event = eventOf({ pcr: 0, type, data });
      assert.notEqual(decodeEventData(event).kind, undefined);
      trustOf(event, 'sha256');
    }),
    { numRuns: 400 },
  );
});
