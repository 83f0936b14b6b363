// SPDX-License-Identifier: Apache-2.0
// Every template of the kernel, in both forms of the list and both byte orders.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import {
  decodeImaAscii,
  decodeImaEntry,
  decodeImaList,
  decodeLog,
  type ImaEntry,
  type ImaEvent,
  replayIma,
  replayLogs,
} from '@vouchsafe/eventlog';
import { isTpmHashAvailable, type TpmHash, tpmDigest } from '@vouchsafe/tpm';
import fc from 'fast-check';
import { codeOf } from './support.ts';

const u32 = (value: number, isBig = false): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, !isBig);
  return bytes;
};
const sized = (bytes: Uint8Array, isBig = false): Uint8Array => concatBytes(u32(bytes.length, isBig), bytes);
const DIGEST = new Uint8Array(32).fill(0xab);
const d = (text: string): Uint8Array => concatBytes(utf8(`${text}:\0`), DIGEST);
const name = (text: string): Uint8Array => utf8(`${text}\0`);
const HEX = toHex(DIGEST);
const SIGNATURE = Uint8Array.of(3, 2, 4, 0x10);

/** Fields of each template, and its line without PCR and template digest. */
const TEMPLATES: readonly (readonly [template: string, fields: readonly Uint8Array[], line: string])[] = [
  ['ima-ng', [d('sha256'), name('/bin/a b')], `sha256:${HEX} /bin/a b`],
  ['ima-ngv2', [d('verity:sha256'), name('/bin/a')], `verity:sha256:${HEX} /bin/a`],
  ['ima-sig', [d('sha256'), name('/bin/a'), SIGNATURE], `sha256:${HEX} /bin/a 03020410`],
  ['ima-sig', [d('sha256'), name('/bin/a b'), new Uint8Array()], `sha256:${HEX} /bin/a b `],
  ['ima-sig', [d('sha256'), name('/bin/a cafe'), new Uint8Array()], `sha256:${HEX} /bin/a cafe `],
  ['ima-sigv2', [d('ima:sha512'), name('/bin/a'), SIGNATURE], `ima:sha512:${HEX} /bin/a 03020410`],
  [
    'ima-buf',
    [d('sha256'), name('kexec-cmdline'), utf8('quiet')],
    `sha256:${HEX} kexec-cmdline ${toHex(utf8('quiet'))}`,
  ],
  [
    'ima-modsig',
    [d('sha256'), name('/lib/a.ko'), new Uint8Array(), d('sha1'), Uint8Array.of(9)],
    `sha256:${HEX} /lib/a.ko  sha1:${HEX} 09`,
  ],
  [
    'evm-sig',
    [
      d('sha256'),
      name('/bin/a'),
      SIGNATURE,
      name('security.ima|security.selinux'),
      concatBytes(u32(2), u32(1)),
      Uint8Array.of(1, 2, 3),
      u32(1000),
      u32(100),
      Uint8Array.of(0xed, 0x81),
    ],
    '',
  ],
  ['d-ng|n-ng', [d('sha256'), name('/bin/a')], `sha256:${HEX} /bin/a`],
];

function entryBytes(template: string, data: Uint8Array, hash: TpmHash = 'sha1', isBig = false): Uint8Array {
  return concatBytes(u32(10, isBig), tpmDigest(hash, data), sized(utf8(template), isBig), sized(data, isBig));
}

const dataOf = (fields: readonly Uint8Array[], isBig = false): Uint8Array =>
  concatBytes(...fields.map((field) => sized(field, isBig)));

function only(events: readonly ImaEvent[]): ImaEvent {
  const [event] = events;
  assert.ok(event !== undefined && events.length === 1);
  return event;
}

for (const [template, fields, line] of TEMPLATES) {
  test(`${template}, ${fields.length} fields: binary and text give the same data, and every truncation is found out`, () => {
    const data = dataOf(fields);
    const bytes = entryBytes(template, data);
    const event = only(decodeImaList(bytes));
    assert.notEqual(decodeImaEntry(event).kind, 'raw');
    assert.notEqual(decodeImaEntry(event).kind, 'fields');
    if (line !== '') {
      const text = `10 ${toHex(tpmDigest('sha1', data))} ${template} ${line}\n`;
      const fromText = only(decodeImaAscii(utf8(text)));
      assert.equal(toHex(fromText.data), toHex(data));
      assert.deepEqual(replayIma([fromText], { bank: 'sha384' }), {
        ...replayIma([event], { bank: 'sha384' }),
      });
      // The line feed at the end may be missing.
      assert.deepEqual(
        only(decodeImaAscii(utf8(text.trimEnd() + (line.endsWith(' ') ? ' ' : '')))).data,
        fromText.data,
      );
    }
    // Cut inside a field, the entry is raw; whole fields too few are raw as well.
    for (let size = 1; size < data.length; size++) {
      const cut = decodeImaEntry({ ...event, data: data.subarray(0, size) });
      assert.equal(cut.kind, 'raw', `${size} octets`);
    }
    assert.equal(decodeImaEntry({ ...event, data: concatBytes(data, Uint8Array.of(0)) }).kind, 'raw');
  });
}

function fileOf(entry: ImaEntry) {
  assert.ok(entry.kind === 'file');
  return entry.file;
}

test('what the fields say: fs-verity, signatures, appended signatures, EVM, buffers', () => {
  const entry = (index: number): ImaEntry => {
    const [template, fields] = TEMPLATES[index] as (typeof TEMPLATES)[number];
    return decodeImaEntry(only(decodeImaList(entryBytes(template, dataOf(fields)))));
  };
  assert.deepEqual([fileOf(entry(1)).digestType, fileOf(entry(1)).algorithm], ['verity', 'sha256']);
  assert.deepEqual(fileOf(entry(2)).signature, SIGNATURE);
  assert.equal(fileOf(entry(3)).signature, undefined);
  assert.equal(fileOf(entry(4)).path, '/bin/a cafe');
  const buffer = entry(6);
  assert.ok(buffer.kind === 'buffer');
  assert.deepEqual([buffer.name, buffer.buffer], ['kexec-cmdline', utf8('quiet')]);
  const { modsig, modsigDigest } = fileOf(entry(7));
  assert.deepEqual([modsig, modsigDigest?.algorithm], [Uint8Array.of(9), 'sha1']);
  const { evm } = fileOf(entry(8));
  assert.deepEqual(evm, {
    signature: SIGNATURE,
    xattrs: [
      { name: 'security.ima', value: Uint8Array.of(1, 2) },
      { name: 'security.selinux', value: Uint8Array.of(3) },
    ],
    uid: 1000,
    gid: 100,
    mode: 0o100755,
  });
});

test('a big-endian list is known by its content, and its fields are read so; its data is hashed as it lies', () => {
  const data = dataOf([d('sha256'), name('/init')], true);
  const log = decodeLog(entryBytes('ima-ng', data, 'sha1', true));
  assert.ok(log.kind === 'ima');
  assert.deepEqual([log.byteOrder, log.events[0]?.pcr], ['big', 10]);
  assert.equal(fileOf(decodeImaEntry(only(log.events))).path, '/init');
  const { findings, value } = replayIma(log.events, { bank: 'sha256' });
  assert.deepEqual(findings, []);
  assert.deepEqual(value, tpmDigest('sha256', concatBytes(new Uint8Array(32), tpmDigest('sha256', data))));
});

for (const hash of ['sha256', 'sha384', 'sha512', 'sm3_256'] as const) {
  test(`a list with template digests of ${hash} is known by its content`, (t) => {
    if (!isTpmHashAvailable(hash)) return t.skip('missing tool: this hash, in Node.js');
    const data = dataOf([d('sha256'), name('/init')]);
    const binary = decodeLog(entryBytes('ima-ng', data, hash));
    const line = `10 ${toHex(tpmDigest(hash, data))} ima-ng sha256:${HEX} /init\n`;
    for (const log of [binary, decodeLog(utf8(line))]) {
      assert.ok(log.kind === 'ima');
      assert.equal(log.templateHash, hash);
      assert.deepEqual(replayIma(log.events, { bank: 'sha256' }).findings, []);
    }
  });
}

test('A38: a violation is counted, and extends ones, in both forms', () => {
  const data = dataOf([d('sha256'), name('/open')]);
  const binary = concatBytes(u32(10), new Uint8Array(20), sized(utf8('ima-ng')), sized(data));
  const line = utf8(`10 ${'0'.repeat(40)} ima-ng sha256:${HEX} /open\n`);
  for (const bytes of [binary, line]) {
    const log = decodeLog(bytes);
    assert.ok(log.kind === 'ima');
    const { violations, value, findings } = replayIma(log.events, { bank: 'sha256' });
    assert.deepEqual([violations.length, findings.length], [1, 0]);
    assert.deepEqual(value, tpmDigest('sha256', concatBytes(new Uint8Array(32), new Uint8Array(32).fill(0xff))));
    assert.deepEqual(replayLogs([log]).banks.get('sha256')?.pcrs.get(10), value);
  }
});

test('A40: a line that a file name forges is found out by the template digest', () => {
  const data = dataOf([d('sha256'), name('/tmp/x\n10 00 ima-ng /bin/sh')]);
  const text = `10 ${toHex(tpmDigest('sha1', data))} ima-ng sha256:${HEX} /tmp/x\n10 00 ima-ng /bin/sh\n`;
  assert.equal(
    codeOf(() => decodeImaAscii(utf8(text))),
    'log_malformed',
  );
  const whole = `10 ${toHex(tpmDigest('sha1', data))} ima-ng sha256:${HEX} /tmp/x\n`;
  assert.deepEqual(
    replayIma(decodeImaAscii(utf8(whole)), { bank: 'sha1' }).findings.map(({ code }) => code),
    ['ima_template_hash'],
  );
});

test('lines that are no entries, digests of odd lengths, and two hashes in one list are errors', () => {
  const digest = toHex(new Uint8Array(20).fill(1));
  for (const line of [
    `x ${digest} ima-ng sha256:${HEX} /a`,
    `10 ${digest}00 ima-ng sha256:${HEX} /a`,
    `10 ${digest} ima-ng`,
    `10 ${digest} ima-ng sha256:zz /a`,
    `99999999999 ${digest} ima-ng sha256:${HEX} /a`,
    `10 ${digest} ima-ng sha256:${HEX} /a\n10 ${HEX} ima-ng sha256:${HEX} /a`,
  ]) {
    assert.match(
      codeOf(() => {
        const log = decodeLog(utf8(`${line}\n`));
        assert.ok(log.kind === 'ima');
      }),
      /^log_(malformed|unknown)$/,
      line,
    );
  }
});

test('any path survives the binary form, and any without a line feed the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (path) => {
      if (path.includes('\0')) return;
      const data = dataOf([d('sha256'), name(path)]);
      assert.equal(fileOf(decodeImaEntry(only(decodeImaList(entryBytes('ima-ng', data))))).path, path);
      if (path.includes('\n')) return;
      const line = `10 ${toHex(tpmDigest('sha1', data))} ima-ng sha256:${HEX} ${path}\n`;
      assert.equal(toHex(only(decodeImaAscii(utf8(line))).data), toHex(data));
    }),
  );
});
