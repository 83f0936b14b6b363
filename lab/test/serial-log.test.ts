// SPDX-License-Identifier: Apache-2.0
// What is made of a serial log: internal, as a machine that boots shows each of these only now and then.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BootOutcome, outcomeOf, refusalsOf, stageOf } from '../src/machine/outcome.ts';
import { PlainText } from '../src/machine/plain-text.ts';

const SILENT = { hasResults: false, isReached: false, isTimeout: false, isStopped: false };
const REFUSED =
  'BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0): Access Denied\n' +
  'BdsDxe: failed to start Boot0006 "EFI Internal Shell" from Fv(7CB8)/FvFile(7C04): Security Violation\n';

test('escape sequences go, wherever the stream is cut', () => {
  const esc = '\x1b';
  const written = `${esc}[2J${esc}[01;01H${esc}[=3hBdsDxe: loading${esc}[0m Boot0001${esc}c${esc}[?25l`;
  const plain = 'BdsDxe: loading Boot0001';
  fc.assert(
    fc.property(fc.array(fc.nat(written.length), { maxLength: 6 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), written.length];
      const text = new PlainText();
      const parts = places.slice(1).map((end, i) => text.push(Buffer.from(written.slice(places[i], end), 'latin1')));
      assert.equal(parts.join(''), plain);
    }),
  );
});

test('each ending is told from the others', () => {
  const endings: readonly (readonly [string, Partial<typeof SILENT>, BootOutcome])[] = [
    ['', { hasResults: true }, 'reported'],
    ['', { isReached: true }, 'reached'],
    ['', { isTimeout: true }, 'timed_out'],
    ['', { isStopped: true }, 'stopped'],
    ['', {}, 'ended'],
    [REFUSED, {}, 'refused_by_firmware'],
    // Another disk was started after all.
    [REFUSED, { hasResults: true }, 'reported'],
    ['vouchsafe-initrd: refused: no partitions', {}, 'refused_by_initrd'],
    ['device-mapper: verity: 254:2: data block 5 is corrupted', {}, 'refused_by_kernel'],
    // What a guest reports does not make a block good that its kernel has refused.
    ['device-mapper: verity: 254:2: metadata block 1 is corrupted', { hasResults: true }, 'refused_by_kernel'],
    ['Kernel panic - not syncing: VFS: Unable to mount root fs', {}, 'refused_by_kernel'],
  ];
  for (const [serial, how, outcome] of endings) assert.equal(outcomeOf(serial, { ...SILENT, ...how }), outcome, serial);
});

test('of what firmware refused only disks count, each once', () => {
  assert.deepEqual(refusalsOf(REFUSED + REFUSED), ['PciRoot(0x0)/Pci(0x1,0x0)']);
});

test('the furthest stage counts', () => {
  assert.equal(stageOf('nothing yet'), undefined);
  assert.equal(stageOf('BdsDxe: loading Boot0001'), 'firmware');
  assert.equal(stageOf('BdsDxe: loading Boot0001\nBdsDxe: starting Boot0001\nvouchsafe-initrd: start'), 'initrd');
});
