// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import {
  BANKS,
  bootsUnder,
  canonicalJson,
  encodeManifest,
  type Manifest,
  makeManifest,
  parseManifest,
  predictedEventsOf,
} from '@vouchsafe/manifest';
import { event, SECURE_BOOT, sample } from './support.ts';

const codeOf = (code: string) => ({ name: 'ManifestError', code });

/** A copy with something in it changed, as bytes that are canonical. */
function changed(change: (document: Record<string, unknown>) => void, of: Manifest = sample()): Uint8Array {
  const document = structuredClone(of) as unknown as Record<string, unknown>;
  change(document);
  return canonicalJson(document);
}

type Loose = Record<string, Record<string, Record<string, unknown>>>;

test('what was made is read back the same, in one bank and in four', () => {
  for (const banks of [['sha256'], BANKS] as const) {
    const manifest = sample(banks);
    const bytes = encodeManifest(manifest);
    assert.deepEqual(parseManifest(bytes), JSON.parse(parseUtf8(bytes)));
    assert.deepEqual(encodeManifest(parseManifest(bytes)), bytes);
  }
});

test('an event that several boots have stands in the table once, and each boot has its own order', () => {
  const manifest = sample();
  assert.deepEqual(
    [manifest.events.length, manifest.boots.map(({ events }) => events)],
    [
      3,
      [
        [0, 1],
        [0, 1, 2],
      ],
    ],
  );
  const [boot] = bootsUnder(manifest, { secureBoot: 'off' });
  assert.ok(boot);
  assert.deepEqual(
    predictedEventsOf(manifest, boot).map(({ description, origin }) => [description, origin.offset]),
    [
      ['the UKI', 512],
      ['the content of .linux', 512],
      ['the kernel inside', 512],
    ],
  );
});

test('PCRs follow from the events: untouched ones are zeros, and phases come on top', () => {
  const [boot] = bootsUnder(sample(), { secureBoot: 'on' });
  const extend = (old: Uint8Array, text: string) => digest('sha256', concatBytes(old, digest('sha256', utf8(text))));
  const kernel = extend(new Uint8Array(32), 'the content of .linux');
  assert.deepEqual(
    boot?.phases.map(({ phase, pcrs }) => [phase, pcrs.sha256?.['11'], pcrs.sha256?.['12']]),
    [
      ['', toHex(kernel), '00'.repeat(32)],
      ['enter-initrd', toHex(extend(kernel, "boot phase 'enter-initrd'")), '00'.repeat(32)],
    ],
  );
  assert.deepEqual(boot?.covers, [4, 11, 12]);
});

test('a boot that is not there is named with those that are', () => {
  assert.throws(() => bootsUnder(sample(), { loader: 'systemd-boot 252' }), codeOf('condition_unknown'));
  assert.equal(bootsUnder(sample(), {}).length, 2);
});

test('a manifest that contradicts itself is none', () => {
  const cases: [string, (document: Loose) => void][] = [
    ['/boots/0/phases/0/pcrs/sha256/11', (d) => Object.assign(pcrsOf(d), { 11: 'ab'.repeat(32) })],
    ['/boots/0/phases/0/pcrs/sha256', (d) => Object.assign(pcrsOf(d), { 13: '00'.repeat(32) })],
    ['/boots/0/phases/0/pcrs/sha256', (d) => void delete pcrsOf(d)['12']],
    ['/boots/0/events/2', (d) => void (list(d, 'boots', 0)['events'] as number[]).push(3)],
    ['/boots/1/condition', (d) => Object.assign(list(d, 'boots', 1), { condition: SECURE_BOOT })],
    ['/boots/0/phases', (d) => void (list(d, 'boots', 0)['phases'] as unknown[]).push(phaseOf(d, 1))],
    ['/boots/0/phases/0/phase', (d) => Object.assign(phaseOf(d, 0), { phase: 'early' })],
    [
      '/events/3',
      (d) => void (d['events'] as unknown as unknown[]).push({ ...list(d, 'events', 0), description: 'idle' }),
    ],
    ['/events/0/digests', (d) => Object.assign(list(d, 'events', 0)['digests'] as object, { sha1: '00'.repeat(20) })],
  ];
  for (const [path, change] of cases) {
    assert.throws(() => parseManifest(changed((d) => change(d as Loose))), { code: 'manifest_malformed', path });
  }
});

const list = (document: Loose, name: string, i: number): Record<string, unknown> =>
  (document[name] as unknown as Record<string, unknown>[])[i] as Record<string, unknown>;
const phaseOf = (document: Loose, i: number): Record<string, unknown> =>
  (list(document, 'boots', 0)['phases'] as Record<string, unknown>[])[i] as Record<string, unknown>;
const pcrsOf = (document: Loose): Record<string, unknown> =>
  (phaseOf(document, 0)['pcrs'] as Record<string, Record<string, unknown>>)['sha256'] as Record<string, unknown>;

test('each member is needed, has its type, and no other member is taken', () => {
  for (const name of Object.keys(sample())) {
    const [code, path] = name === 'format' ? ['manifest_malformed', '/format'] : ['manifest_malformed', ''];
    assert.throws(() => parseManifest(changed((d) => void delete d[name])), { code, path }, name);
    assert.throws(
      () => parseManifest(changed((d) => Object.assign(d, { [name]: true }))),
      codeOf('manifest_malformed'),
      name,
    );
  }
  assert.throws(() => parseManifest(changed((d) => Object.assign(d, { more: 1 }))), codeOf('manifest_malformed'));
  assert.throws(
    () => parseManifest(changed((d) => Object.assign(list(d as Loose, 'events', 0), { more: 1 }))),
    codeOf('manifest_malformed'),
  );
});

test('bounds: PCR 15 is the last, and digests have the size of their bank', () => {
  const withPcr = (pcr: number) => changed((d) => Object.assign(list(d as Loose, 'events', 2), { pcr }));
  // Boot 0 does not have the event, boot 1 covers PCR 4 without it then.
  assert.throws(() => parseManifest(withPcr(15)), { path: '/boots/1/phases/0/pcrs/sha256/4' });
  assert.throws(() => parseManifest(withPcr(16)), { path: '/events/2/pcr' });
  for (const size of [31, 33]) {
    const digests = { sha256: '00'.repeat(size) };
    assert.throws(() => parseManifest(changed((d) => Object.assign(list(d as Loose, 'events', 0), { digests }))), {
      path: '/events/0/digests/sha256',
    });
  }
  assert.throws(() => parseManifest(new Uint8Array(4 * 1024 * 1024 + 1)), codeOf('manifest_limit'));
});

test('versions: another major form is refused; of a newer minor one what is new is passed over, unless it is critical', () => {
  const versioned = (format: object, more: object = {}) =>
    changed(
      (d) => void Object.assign(d, { format: { name: 'vouchsafe-manifest', major: 1, minor: 0, ...format } }, more),
    );
  assert.throws(() => parseManifest(versioned({ major: 2 })), codeOf('manifest_version'));
  assert.throws(() => parseManifest(versioned({}, { newer: 'thing' })), codeOf('manifest_malformed'));
  assert.equal(parseManifest(versioned({ minor: 1 }, { newer: 'thing' })).name, 'edge');
  assert.throws(
    () => parseManifest(versioned({ minor: 1, critical: ['newer'] }, { newer: 'thing' })),
    codeOf('manifest_version'),
  );
  assert.equal(parseManifest(versioned({ minor: 1, critical: ['boots'] })).name, 'edge');
});

test('other bytes of the same content are refused: spaces, another order, a name that stands twice, a BOM', () => {
  const text = parseUtf8(encodeManifest(sample()));
  const twice = text.replace('{"architecture":"x86-64"', '{"architecture":"arm64","architecture":"x86-64"');
  assert.notEqual(twice, text);
  for (const other of [` ${text}`, `${text}\n`, twice, JSON.stringify(sample()), text.replace('edge', '\\u0065dge')]) {
    assert.throws(() => parseManifest(utf8(other)), codeOf('manifest_not_canonical'));
  }
  assert.throws(() => parseManifest(utf8(`\ufeff${text}`)), { name: 'ManifestError' });
});

test('no part of a manifest is one', () => {
  const bytes = encodeManifest(sample());
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => parseManifest(bytes.subarray(0, length)), codeOf('manifest_malformed'));
  }
  assert.throws(() => parseManifest(utf8('['.repeat(100_000))), codeOf('manifest_malformed'));
  const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
  assert.throws(() => parseManifest(utf8(deep)), codeOf('manifest_limit'));
});

test('an event without a digest in a bank of the manifest cannot be in it', () => {
  const boot = { condition: SECURE_BOOT, covers: [4], events: [event(4, 'the UKI', ['sha1'])], phases: [] };
  const request = { name: 'a', version: '1', architecture: 'x86-64', artefacts: [], roots: [], boots: [boot] };
  assert.throws(() => makeManifest({ ...request, banks: ['sha256'] }), codeOf('bank_unsupported'));
  assert.equal(makeManifest({ ...request, banks: ['sha1'] }).events.length, 1);
});

test('what the kernel measures of files is part of it, as far as the image says so', () => {
  const ima = { policies: ['tcb'], template: 'ima-ng', hash: 'sha256' };
  const manifest = { ...sample(), ima };
  assert.deepEqual(parseManifest(encodeManifest(manifest)).ima, ima);
  assert.equal(parseManifest(encodeManifest(sample())).ima, undefined);
  assert.throws(() => encodeManifest({ ...sample(), ima: { policies: [] } }), codeOf('manifest_malformed'));
});
