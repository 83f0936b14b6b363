// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { decode, encode } from '@vouchsafe/codec';
import {
  checkEventData,
  coverageOf,
  decodeEventData,
  decodeTcgLog,
  type EventData,
  type TcgEvent,
  textOf,
  uefiGptData,
  uefiImageLoadEvent,
  uefiVariableData,
} from '@vouchsafe/eventlog';
import fc from 'fast-check';
import { agileLog, codeOf, locality, type MadeEvent, separator } from './support.ts';

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';

function eventOf(made: MadeEvent): TcgEvent {
  const [, event] = decodeTcgLog(agileLog([made])).events;
  assert.ok(event !== undefined);
  return event;
}

const dataOf = (made: MadeEvent): EventData => decodeEventData(eventOf(made));

const variable = (name: string, variableData: Uint8Array, stray = new Uint8Array()): Uint8Array =>
  encode(uefiVariableData, {
    variableName: GLOBAL,
    unicodeNameBytes: BigInt(2 * name.length),
    variableDataLength: BigInt(variableData.length),
    unicodeName: name,
    variableData,
    stray,
  });

test('UEFI variables: name, GUID and value; every truncation is raw, with the reason', () => {
  const data = variable('SecureBoot', Uint8Array.of(1));
  const made: MadeEvent = { pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data };
  const decoded = dataOf(made);
  assert.ok(decoded.kind === 'variable');
  const { variableName, unicodeName, variableData } = decoded.variable;
  assert.deepEqual([variableName, unicodeName, variableData], [GLOBAL, 'SecureBoot', Uint8Array.of(1)]);
  for (let size = 0; size < data.length; size++) {
    const cut = dataOf({ ...made, data: data.subarray(0, size) });
    assert.ok(cut.kind === 'raw' && cut.error?.code === 'truncated', `${size} octets`);
  }
});

test('A21: lengths of a variable beyond the limits, and with bit 63 set, are errors', () => {
  const data = variable('db', Uint8Array.of(1));
  for (const at of [16, 24]) {
    for (const octets of [
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80),
      new Uint8Array(8).fill(0xff),
      Uint8Array.of(0, 0, 0, 0xc0),
    ]) {
      const changed = data.slice();
      changed.set(octets, at);
      assert.equal(
        codeOf(() => decode(uefiVariableData, changed)),
        'limit',
      );
    }
  }
});

test('octets after a structure: up to 16, as old releases of shim leave them, and no more', () => {
  const made: MadeEvent = {
    pcr: 7,
    type: 'EV_EFI_VARIABLE_AUTHORITY',
    data: variable('Shim', utf8('cert'), new Uint8Array(6)),
  };
  assert.equal(dataOf(made).kind, 'variable');
  assert.equal(dataOf({ ...made, data: concatBytes(variable('Shim', utf8('cert')), new Uint8Array(17)) }).kind, 'raw');
});

test('A15, A24: what the digest covers, and variables whose data it does not', () => {
  const data = variable('dbx', utf8('today'));
  const made: MadeEvent = { pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data };
  assert.equal(coverageOf(eventOf(made), 'sha256'), 'data');
  assert.equal(coverageOf(eventOf({ ...made, measured: utf8('today') }), 'sha256'), 'value');
  assert.equal(coverageOf(eventOf({ ...made, measured: data.subarray(0, -1) }), 'sha256'), 'prefix');
  const forged = { ...made, measured: variable('dbx', utf8('last year')) };
  assert.equal(coverageOf(eventOf(forged), 'sha256'), 'none');
  assert.equal(coverageOf(eventOf(made), 'sha384'), 'none');
  const log = decodeTcgLog(agileLog([made, forged, { pcr: 4, type: 'EV_IPL', data, measured: utf8('else') }]));
  assert.deepEqual(
    checkEventData(log, 'sha256').map(({ code, where }) => [code, where.event]),
    [['event_data_mismatch', 2]],
  );
});

test('images loaded: the device path is kept as it is', () => {
  const devicePath = Uint8Array.of(0x7f, 0xff, 4, 0);
  const image = {
    imageLocationInMemory: 1n,
    imageLengthInMemory: 2n,
    imageLinkTimeAddress: 3n,
    lengthOfDevicePath: 4n,
    devicePath,
    stray: new Uint8Array(),
  };
  const decoded = dataOf({ pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: encode(uefiImageLoadEvent, image) });
  assert.ok(decoded.kind === 'imageLoad');
  assert.deepEqual(decoded.image, image);
});

test('GPT: the disk’s GUID and the partitions in use', () => {
  const guid = '12345678-9abc-def0-1234-56789abcdef0';
  const partition = {
    partitionTypeGuid: guid,
    uniquePartitionGuid: guid,
    startingLba: 40n,
    endingLba: 80n,
    attributes: 0n,
    partitionName: 'root-x86-64',
  };
  const header = {
    signature: utf8('EFI PART'),
    revision: 0x10000,
    headerSize: 92,
    headerCrc32: 0,
    reserved: 0,
    myLba: 1n,
    alternateLba: 99n,
    firstUsableLba: 34n,
    lastUsableLba: 66n,
    diskGuid: guid,
    partitionEntryLba: 2n,
    numberOfPartitionEntries: 128,
    sizeOfPartitionEntry: 128,
    partitionEntryArrayCrc32: 0,
  };
  const data = encode(uefiGptData, { efiPartitionHeader: header, numberOfPartitions: 1n, partitions: [partition] });
  const made: MadeEvent = { pcr: 5, type: 'EV_EFI_GPT_EVENT', data };
  const decoded = dataOf(made);
  assert.ok(decoded.kind === 'gpt');
  assert.deepEqual(decoded.gpt.partitions, [partition]);
  const many = data.slice();
  many.set([0xff, 0xff, 0xff, 0xff], 92);
  const refused = dataOf({ ...made, data: many });
  assert.ok(refused.kind === 'raw' && refused.error?.code === 'limit');
});

test('texts: UTF-16 of EFI programs, ASCII of others; control characters and other bytes are raw', () => {
  const wide = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf16le'));
  assert.deepEqual(textOf(wide('.linux\0')), { encoding: 'utf-16le', text: '.linux' });
  assert.deepEqual(textOf(utf8('grub_cmd: linux /vmlinuz\0')), { encoding: 'utf-8', text: 'grub_cmd: linux /vmlinuz' });
  for (const bytes of [
    utf8('a\u001b[2Jb'),
    wide('a\u0007b'),
    Uint8Array.of(0xff, 0xfe),
    new Uint8Array(),
    utf8('a\0b'),
  ]) {
    assert.equal(textOf(bytes), undefined);
  }
  assert.equal(dataOf({ pcr: 8, type: 'EV_IPL', data: Uint8Array.of(0xff, 0xff, 0xff) }).kind, 'raw');
  assert.equal(dataOf({ pcr: 4, type: 'EV_EFI_ACTION', data: utf8('Calling EFI Application') }).kind, 'text');
  assert.equal(dataOf({ pcr: 4, type: 0x8401, data: utf8('vendor') }).kind, 'raw');
});

test('EV_NO_ACTION: header, locality, others by their signature; separators by their digest', () => {
  const [header] = decodeTcgLog(agileLog([])).events;
  assert.ok(header !== undefined);
  assert.equal(decodeEventData(header).kind, 'specId');
  assert.deepEqual(dataOf(locality(3)), { kind: 'startupLocality', locality: 3 });
  const other = dataOf({
    pcr: 0,
    type: 'EV_NO_ACTION',
    data: concatBytes(utf8('Vendor Event 01\0'), Uint8Array.of(1, 2)),
  });
  assert.ok(other.kind === 'noAction');
  assert.deepEqual([other.signature, other.content], ['Vendor Event 01', Uint8Array.of(1, 2)]);
  assert.equal(dataOf({ pcr: 0, type: 'EV_NO_ACTION', data: utf8('short') }).kind, 'raw');
  assert.deepEqual(dataOf(separator(0)), { kind: 'separator', meaning: 'boundary' });
  const failed = { ...separator(0), data: utf8('text'), measured: Uint8Array.of(1, 0, 0, 0) };
  assert.deepEqual(dataOf(failed), { kind: 'separator', meaning: 'error' });
  assert.deepEqual(dataOf({ ...separator(0), measured: utf8('?') }), { kind: 'separator', meaning: 'unknown' });
});

test('tagged events: the number, the content, and the text where it is one', () => {
  const content = Uint8Array.from(Buffer.from('loader.conf\0', 'utf16le'));
  const head = Uint8Array.of(0x2a, 0x58, 0xbc, 0xf5, content.length, 0, 0, 0);
  const decoded = dataOf({ pcr: 5, type: 'EV_EVENT_TAG', data: concatBytes(head, content) });
  assert.ok(decoded.kind === 'tagged');
  assert.deepEqual([decoded.tag, decoded.text?.text], [0xf5bc582a, 'loader.conf']);
});

test('no data makes decoding throw, whatever the type', () => {
  const types = [
    'EV_EFI_VARIABLE_BOOT',
    'EV_EFI_GPT_EVENT',
    'EV_EVENT_TAG',
    'EV_S_CRTM_CONTENTS',
    'EV_NO_ACTION',
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 120 }), (type, data) => {
      const event = eventOf({ pcr: 0, type, data });
      assert.notEqual(decodeEventData(event).kind, undefined);
      coverageOf(event, 'sha256');
    }),
  );
});
