// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, rest, u64le, utf16leNul } from '@vouchsafe/codec';
import { decodeTcgLog, type LogEvent } from '@vouchsafe/eventlog';
import { type BootCondition, type Manifest, makeManifest, type PredictedEvent } from '@vouchsafe/manifest';
import { BOOT, digestOfMade, event, logOf, type MadeEvent, separator } from './support.ts';

const SECURE_BOOT: BootCondition = { secureBoot: 'on', loader: 'none', profile: 0 };
const COVERS = [4, 5, 9, 11, 12, 13];

function predictions(events: readonly MadeEvent[]): PredictedEvent[] {
  return events
    .filter(({ pcr }) => COVERS.includes(pcr))
    .map((made) => ({
      pcr: made.pcr,
      description: `event of PCR ${made.pcr}`,
      origin: { artefact: 'uki.efi' },
      digests: new Map([['sha256', digestOfMade(made, 'sha256')]]),
    }));
}

function manifest(version = '1', events: readonly MadeEvent[] = BOOT, phases: readonly string[] = []): Manifest {
  return makeManifest({
    name: 'edge',
    version,
    architecture: 'x86-64',
    artefacts: [],
    roots: [],
    banks: ['sha256'],
    boots: [
      {
        condition: SECURE_BOOT,
        covers: COVERS,
        events: predictions(events),
        phases: phases.map((phase) => ({ phase, events: [] })),
      },
    ],
  });
}

const explain = (events: readonly MadeEvent[], manifests = [manifest()]): LogExplanation =>
  explainLog(decodeTcgLog(logOf(events)).events, { manifests });

const misfits = ({ events }: LogExplanation): string[] =>
  events.flatMap(({ pcr, judgement, reason }) => (reason === undefined ? [] : [`${pcr} ${judgement} ${reason.code}`]));

/** What follows a place in a boot. */
const bootWith = (after: string, ...more: MadeEvent[]): MadeEvent[] =>
  BOOT.flatMap((made) => (Buffer.from(made.data).toString() === after ? [made, ...more] : [made]));

/** UEFI_IMAGE_LOAD_EVENT with a file path. Profile 1.06, section 10.2.3; UEFI 2.10, section 10.3.5.4. */
function program(path: string | undefined): MadeEvent {
  const end = Uint8Array.of(0x7f, 0xff, 4, 0);
  const text = encode(utf16leNul(rest), path ?? '');
  const node = path === undefined ? new Uint8Array(0) : concatBytes(Uint8Array.of(4, 4, text.length + 4, 0), text);
  const devicePath = concatBytes(node, end);
  const words = [0n, 0n, 0n, BigInt(devicePath.length)].map((value) => encode(u64le, value));
  return {
    pcr: 4,
    type: 'EV_EFI_BOOT_SERVICES_APPLICATION',
    data: concatBytes(...words, devicePath),
    measured: utf8(path ?? 'nameless'),
  };
}

test('a boot as predicted: PCRs of the image are expected, the others the machine’s', () => {
  const explained = explain(BOOT);
  assert.deepEqual(misfits(explained), []);
  assert.ok(explained.isAsExpected);
  for (const { pcr, judgement } of explained.events) {
    assert.equal(judgement, COVERS.includes(pcr) ? 'expected' : 'machine');
  }
});

test('programs: an addon, another one, one in place of the UKI, and a second attempt', () => {
  const addon = program('\\EFI\\Linux\\edge.efi.extra.d\\debug.addon.efi');
  assert.deepEqual(misfits(explain(bootWith('the UKI', addon))), ['4 unexpected addon_loaded']);
  assert.deepEqual(misfits(explain(bootWith('the UKI', program('\\shell.efi')))), ['4 unexpected program_started']);
  const swapped = explain(
    BOOT.map((made) => (made.pcr === 4 && made.data.length === 7 ? program('\\evil.efi') : made)),
  );
  assert.deepEqual(misfits(swapped), ['4 unexpected program_started', '4 missing follows']);
  assert.match(
    swapped.events.find(({ reason }) => reason?.code === 'program_started')?.reason?.text ?? '',
    /in place of .*evil/,
  );
  const attempt = event(4, 'EV_EFI_ACTION', 'Returning from EFI Application from Boot Option');
  assert.deepEqual(misfits(explain(bootWith('Calling EFI Application from Boot Option', attempt))), [
    '4 unexpected boot_retried',
  ]);
});

test('an event that is expected once and there twice is named as that', () => {
  assert.deepEqual(misfits(explain(bootWith('the UKI', ...BOOT.filter(({ data }) => data.length === 7)))), [
    '4 unexpected repeated',
  ]);
});

test('a command line in PCR 12 is quoted where the digest covers it, and marked where it does not', () => {
  const text = encode(utf16leNul(rest), 'init=/bin/sh');
  const real: MadeEvent = { pcr: 12, type: 'EV_IPL', data: text };
  const [found] = explain(bootWith('content of .linux', real)).events.filter(({ reason }) => reason !== undefined);
  assert.deepEqual(
    [found?.reason?.code, /'init=\/bin\/sh'$/.test(found?.reason?.text ?? '')],
    ['command_line_replaced', true],
  );
  const [forged] = explain(bootWith('content of .linux', { ...real, measured: utf8('other') })).events.filter(
    ({ reason }) => reason !== undefined,
  );
  assert.match(forged?.reason?.text ?? '', /as the log says/);
});

test('what the running system adds after the firmware has gone is named as that, in any PCR of the image', () => {
  for (const pcr of [4, 9, 11, 12]) {
    const late = event(pcr, 'EV_IPL', 'late');
    assert.deepEqual(misfits(explain([...BOOT, late])), [`${pcr} unexpected after_exit`]);
  }
});

test('PCRs of the firmware are its own up to the separator', () => {
  const late = event(0, 'EV_IPL', 'late');
  assert.deepEqual(misfits(explain([...BOOT, late])), ['0 unexpected after_exit']);
  assert.deepEqual(misfits(explain([event(0, 'EV_POST_CODE', 'more'), ...BOOT])), []);
});

test('phases that were reached are expected, those that were not are not missing, skipped ones are', () => {
  const manifests = [manifest('1', BOOT, ['enter-initrd:leave-initrd:ready'])];
  const phase = (word: string): LogEvent => ({
    source: 'userspace',
    index: 0,
    offset: 0,
    type: 'phase',
    pcr: 11,
    digests: [{ bank: 'sha256', digest: digestOfMade(event(11, 'EV_IPL', word), 'sha256') }],
    data: utf8(word),
    content: { eventType: 'phase', string: word },
  });
  const firmware = decodeTcgLog(logOf(BOOT)).events;
  const all = (...words: string[]) => explainLog([...firmware, ...words.map(phase)], { manifests });
  for (const words of [[], ['enter-initrd'], ['enter-initrd', 'leave-initrd', 'ready']]) {
    assert.deepEqual(misfits(all(...words)), [], words.join());
  }
  assert.deepEqual(misfits(all('enter-initrd', 'ready')), ['11 missing unexplained']);
  assert.deepEqual(misfits(all('enter-initrd', 'factory-reset')), ['11 unexpected phase_reached']);
});

test('another image is known by its parts, whichever fits best', () => {
  const other = BOOT.map((made) => (made.pcr === 9 ? event(9, 'EV_EVENT_TAG', 'an older initrd') : made));
  const explained = explain(other, [manifest('2'), manifest('1', other)]);
  assert.deepEqual([explained.manifest.version, explained.isAsExpected], ['1', true]);
  const mixed = bootWith('the UKI', event(11, 'EV_IPL', '.splash'));
  const splash = [...BOOT.filter(({ pcr }) => pcr !== 9), event(11, 'EV_IPL', '.splash')];
  const [found] = explain(mixed, [manifest('2'), manifest('1', splash)]).events.filter(
    ({ reason }) => reason !== undefined,
  );
  assert.deepEqual(found?.reason, {
    code: 'other_image',
    text: 'this is event of PCR 11 of edge 1 (uki.efi)',
    image: 'edge 1',
  });
});

test('a log without a boundary, without events, of unknown PCRs: an answer all the same', () => {
  assert.equal(explain(BOOT.filter(({ type }) => type !== 'EV_SEPARATOR')).isAsExpected, false);
  const odd = explainLog(
    [
      {
        source: 'tcg',
        index: 0,
        offset: 0,
        type: 'EV_IPL',
        pcr: 4_000_000_000,
        digests: [{ bank: 'sha256', digest: new Uint8Array(32) }],
        data: new Uint8Array(0),
      },
    ],
    { manifests: [manifest()] },
  );
  assert.ok(odd.events.some(({ pcr, judgement }) => pcr === 4_000_000_000 && judgement === 'unexpected'));
  assert.ok(explain([separator(4)]).events.some(({ judgement }) => judgement === 'missing'));
});

test('what cannot be compared is refused by code', () => {
  const events = decodeTcgLog(logOf(BOOT)).events;
  assert.throws(() => explainLog(events, { manifests: [] }), { code: 'manifest_missing' });
  assert.throws(() => explainLog(events, { manifests: [manifest()], bank: 'sha384' }), { code: 'bank_unknown' });
  assert.throws(() => explainLog([], { manifests: [manifest()] }), { code: 'bank_unknown' });
  assert.throws(() => explainLog(events, { manifests: [manifest()], condition: { secureBoot: 'off' } }), {
    code: 'condition_unknown',
  });
  assert.throws(() => explainLog(events, { manifests: Array.from({ length: 65 }, () => manifest()) }), {
    code: 'limit',
  });
});
