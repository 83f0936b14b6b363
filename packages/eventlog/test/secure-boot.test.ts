// SPDX-License-Identifier: Apache-2.0
// Attacks on what PCR 7 says, carried out on logs that replay to the TPM's value.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u64le } from '@vouchsafe/codec';
import { checkReplay, decodeTcgLog, readSecureBoot, replayTcgLog, type SecureBootReading } from '@vouchsafe/eventlog';
import { needsVectors } from '@vouchsafe/testing';
import { agileLog, type MadeEvent, quoted, readVector, SEPARATORS, separator } from './support.ts';

const GLOBAL = Uint8Array.from([
  0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0, 0xe0, 0x98, 3, 0x2b, 0x8c,
]);
const wide = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf16le'));

function variable(
  name: string,
  value: Uint8Array,
  type: MadeEvent['type'] = 'EV_EFI_VARIABLE_DRIVER_CONFIG',
): MadeEvent {
  const sizes = concatBytes(encode(u64le, BigInt(name.length)), encode(u64le, BigInt(value.length)));
  return { pcr: 7, type, data: concatBytes(GLOBAL, sizes, wide(name), value) };
}

const on = (name: string, value = 1): MadeEvent => variable(name, Uint8Array.of(value));
const LISTS = ['PK', 'KEK', 'db', 'dbx'].map((name) => variable(name, new Uint8Array()));
const GOOD: readonly MadeEvent[] = [on('SecureBoot'), ...LISTS, separator(7)];

const read = (events: readonly MadeEvent[]): SecureBootReading =>
  readSecureBoot(decodeTcgLog(agileLog(events)), 'sha256');
const codes = (events: readonly MadeEvent[]): readonly string[] => read(events).findings.map(({ code }) => code);

test('an honest log: on, off, and the databases', () => {
  const reading = read(GOOD);
  assert.deepEqual([reading.isOn, reading.findings], [true, []]);
  assert.deepEqual([...reading.variables.keys()], ['SecureBoot', 'PK', 'KEK', 'db', 'dbx']);
  assert.deepEqual(reading.variables.get('SecureBoot')?.value, { kind: 'switch', isOn: true });
  const authority = variable('db', utf8('an owner of 16 b and a certificate'), 'EV_EFI_VARIABLE_AUTHORITY');
  assert.equal(read([...GOOD, authority]).authorities.length, 1);
});

test('A26: off is off whatever the keys are; setup mode and audit mode are off too, deployed mode is not', () => {
  const off = [on('SecureBoot', 0), ...LISTS, separator(7)];
  assert.deepEqual([read(off).isOn, codes(off)], [false, []]);
  const mode = (name: string): boolean => read([on(name), ...GOOD]).isOn;
  assert.deepEqual([mode('SetupMode'), mode('AuditMode'), mode('DeployedMode')], [false, false, true]);
});

test('A12: the firmware’s events under another type, and forged ones behind them, replay and are found out', () => {
  const honest = [on('SecureBoot', 0), ...LISTS, separator(7)];
  // The running system extends PCR 7 with what it wishes to have been measured, and rewrites the types before it.
  const hidden = honest.map((event): MadeEvent => ({ ...event, type: 'EV_UNUSED' }));
  const forged = [...hidden, ...GOOD];
  const pcrs = replayTcgLog(decodeTcgLog(agileLog([...honest, ...GOOD]))).banks.get('sha256')?.pcrs;
  const quote = quoted([{ bank: 'sha256', pcr: 7, value: pcrs?.get(7) ?? new Uint8Array() }]);
  assert.deepEqual(checkReplay(replayTcgLog(decodeTcgLog(agileLog(forged))), quote), [], 'the replay matches');
  assert.equal(read(forged).isOn, false);
  assert.deepEqual(new Set(codes(forged)), new Set(['secure_boot_event']));
  // Hidden as EV_NO_ACTION they are not replayed, which the replay shows.
  const informative = [...honest.map((event): MadeEvent => ({ ...event, type: 'EV_NO_ACTION' })), ...GOOD];
  assert.notDeepEqual(checkReplay(replayTcgLog(decodeTcgLog(agileLog(informative))), quote), []);
});

test('A16: what is appended after the separator changes nothing, and is found out', () => {
  const off = [on('SecureBoot', 0), ...LISTS, separator(7)];
  const appended = [...off, on('SecureBoot')];
  assert.deepEqual([read(appended).isOn, codes(appended)], [false, ['secure_boot_event']]);
  const twice = [on('SecureBoot', 0), ...GOOD];
  assert.deepEqual([read(twice).isOn, codes(twice)], [false, ['secure_boot_variable']]);
  assert.deepEqual(codes([...GOOD, separator(7)]), ['secure_boot_event']);
  assert.deepEqual(codes(GOOD.slice(0, -1)), ['separator_missing']);
});

test('A24: a value that is not what was measured, or whose name is not covered, is not believed', () => {
  const good = on('SecureBoot');
  for (const measured of [on('SecureBoot', 0).data, Uint8Array.of(1)]) {
    const events = [{ ...good, measured }, ...LISTS, separator(7)];
    assert.equal(read(events).isOn, false);
    // The event itself, and then the variable that is not there.
    assert.deepEqual(codes(events), ['secure_boot_variable', 'secure_boot_variable']);
  }
});

test('each variable that is left out is found out', () => {
  for (let i = 0; i < GOOD.length - 1; i++) {
    const events = GOOD.filter((_, j) => j !== i);
    assert.deepEqual([read(events).isOn, codes(events)], [false, ['secure_boot_variable']]);
  }
});

test('A9, A11: in a bank that the log does not have nothing is believed', () => {
  const log = decodeTcgLog(agileLog([...SEPARATORS.slice(0, 7), ...GOOD], ['sha1']));
  assert.equal(readSecureBoot(log, 'sha1').isOn, true);
  assert.equal(readSecureBoot(log, 'sha256').isOn, false);
});

for (const [name, isOn] of [
  ['direct-stub252', false],
  ['secureboot-257', true],
] as const) {
  test(
    `boot vectors, ${name}: Secure Boot is ${isOn ? 'on' : 'off'}, without findings`,
    needsVectors('image', 'boot'),
    () => {
      const log = decodeTcgLog(readVector('image', 'boot', name, 'binary_bios_measurements'));
      const reading = readSecureBoot(log, 'sha256');
      assert.deepEqual([reading.isOn, reading.findings], [isOn, []]);
    },
  );
}
