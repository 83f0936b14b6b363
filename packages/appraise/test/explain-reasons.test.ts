// SPDX-License-Identifier: Apache-2.0
// For each thing that can happen to a boot, the log that it leaves and the words for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventReason, explainLog, type LogExplanation } from '@vouchsafe/appraise';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, guid, rest, u32le, u64le, utf16le, utf16leNul } from '@vouchsafe/codec';
import { decodeTcgLog } from '@vouchsafe/eventlog';
import { type BootCondition, type Manifest, makeManifest, type PredictedBoot } from '@vouchsafe/manifest';
import { digestOfMade, event, logOf, type MadeEvent, separator } from './support.ts';

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SECURITY_DATABASE = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const COVERS = [4, 5, 7, 9, 11, 12, 13];

const u64 = (value: number): Uint8Array => encode(u64le, BigInt(value));
const named = (made: MadeEvent, description: string, section?: string): Made => ({ ...made, description, section });
interface Made extends MadeEvent {
  readonly description?: string;
  readonly section?: string | undefined;
}

/** UEFI_VARIABLE_DATA. PFP 1.06, section 10.2.6. */
function variable(name: string, vendor: string, value: Uint8Array, isAuthority = false): MadeEvent {
  const data = concatBytes(
    encode(guid, vendor),
    u64(name.length),
    u64(value.length),
    encode(utf16le(rest), name),
    value,
  );
  return { pcr: 7, type: isAuthority ? 'EV_EFI_VARIABLE_AUTHORITY' : 'EV_EFI_VARIABLE_DRIVER_CONFIG', data };
}

/** TCG_PCClientTaggedEvent: a number, a size, and what it is about. PFP 1.06, section 10.4.2.1. */
const tagged = (pcr: number, tag: number, content: string): MadeEvent => ({
  pcr,
  type: 'EV_EVENT_TAG',
  data: concatBytes(encode(u32le, tag), encode(u32le, content.length), utf8(content)),
  measured: utf8(content),
});

/** UEFI_IMAGE_LOAD_EVENT without a file: what a stub hands to the firmware from memory. PFP 1.06, section 10.2.3. */
const programOf = (content: string, path = ''): MadeEvent => {
  const text = encode(utf16leNul(rest), path);
  const node = path === '' ? new Uint8Array(0) : concatBytes(Uint8Array.of(4, 4, text.length + 4, 0), text);
  const devicePath = concatBytes(node, Uint8Array.of(0x7f, 0xff, 4, 0));
  const data = concatBytes(u64(0), u64(0), u64(0), u64(devicePath.length), devicePath);
  return { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data, measured: utf8(content) };
};

const section = (name: string): MadeEvent => ({ pcr: 11, type: 'EV_IPL', data: encode(utf16leNul(rest), name) });
const content = (name: string, of: string): MadeEvent => ({ ...section(name), measured: utf8(`${name} ${of}`) });

const TAG = {
  initrd: 0x8f3b22ec,
  commandLine: 0x8f3b22ed,
  loaderConf: 0xf5bc582a,
  profile: 0x13aed6db,
  initrdAddon: 0x49dffe0f,
} as const;

/** UEFI_GPT_DATA of a table without partitions. PFP 1.06, section 10.2.4; UEFI 2.10, section 5.3.2. */
function table(disk: number): MadeEvent {
  const header = new Uint8Array(92);
  header.set(utf8('EFI PART'));
  header.set(encode(u32le, header.length), 12);
  header.fill(disk, 56, 72);
  header.set(encode(u32le, 128), 84);
  return { pcr: 5, type: 'EV_EFI_GPT_EVENT', data: concatBytes(header, u64(0)) };
}

/** A boot of version `of` of an image, with Secure Boot on. */
function boot(of: string, isSecureBootOn = true): Made[] {
  return [
    variable('SecureBoot', GLOBAL, Uint8Array.of(isSecureBootOn ? 1 : 0)),
    variable('db', SECURITY_DATABASE, utf8('keys')),
    event(4, 'EV_EFI_ACTION', 'Calling EFI Application from Boot Option'),
    ...[4, 5, 7].map(separator),
    variable('db', SECURITY_DATABASE, utf8('the key of db'), true),
    table(1),
    named(programOf(`the UKI ${of}`, '\\EFI\\BOOT\\BOOTX64.EFI'), 'the unified kernel image'),
    tagged(5, TAG.loaderConf, 'timeout 0'),
    section('.linux'),
    named(content('.linux', of), 'the content of .linux', '.linux'),
    ...(isSecureBootOn ? [] : [named(programOf(`the kernel ${of}`), 'the kernel inside the UKI', '.linux')]),
    tagged(9, TAG.commandLine, 'quiet'),
    tagged(9, TAG.initrd, `initrd ${of}`),
  ];
}

const condition = (secureBoot: 'on' | 'off', profile = 0): BootCondition => ({ secureBoot, loader: 'none', profile });

const predicted = (events: readonly Made[], when: BootCondition, version: string): PredictedBoot => ({
  condition: when,
  covers: COVERS,
  phases: [],
  events: events.map((made) => ({
    pcr: made.pcr,
    description: made.description ?? `event of PCR ${made.pcr}`,
    origin: { artefact: `edge_${version}.efi`, ...(made.section === undefined ? {} : { section: made.section }) },
    digests: new Map([['sha256', digestOfMade(made, 'sha256')]]),
  })),
});

const manifest = (version: string, boots: readonly PredictedBoot[]): Manifest =>
  makeManifest({ name: 'edge', version, architecture: 'x86-64', artefacts: [], roots: [], banks: ['sha256'], boots });

const CURRENT = manifest('1.4.0', [predicted(boot('1.4.0'), condition('on'), '1.4.0')]);

const explain = (events: readonly MadeEvent[], manifests: readonly Manifest[] = [CURRENT]): LogExplanation =>
  explainLog(decodeTcgLog(logOf(events)).events, { manifests });

const reasons = ({ events }: LogExplanation): EventReason[] =>
  events.flatMap(({ reason, judgement }) => (reason === undefined || judgement === 'missing' ? [] : [reason]));
const codes = (explained: LogExplanation): string[] => reasons(explained).map(({ code }) => code);

/** A boot with some events as they are made of others. */
const changed = (change: (made: Made) => readonly MadeEvent[]): MadeEvent[] => boot('1.4.0').flatMap(change);
const replaced = (is: (made: Made) => boolean, by: MadeEvent): MadeEvent[] =>
  changed((made) => (is(made) ? [by] : [made]));
const isTag = (tag: number) => (made: Made) =>
  made.type === 'EV_EVENT_TAG' && new DataView(made.data.buffer, made.data.byteOffset).getUint32(0, true) === tag;

test('as predicted, nothing is to be explained', () => {
  assert.deepEqual(codes(explain(boot('1.4.0'))), []);
});

test("another version's UKI under this version's loader, keys and disk: this is version 1.3.2's", () => {
  const older = manifest('1.3.2', [predicted(boot('1.3.2'), condition('on'), '1.3.2')]);
  const events = changed((made) =>
    made.description === 'the unified kernel image' ? [programOf('the UKI 1.3.2')] : [made],
  );
  const [first, ...others] = reasons(explain(events, [CURRENT, older]));
  assert.deepEqual(others, []);
  assert.equal(first?.code, 'other_image');
  assert.equal(first?.text, 'this is the unified kernel image of edge 1.3.2 (edge_1.3.2.efi)');
  // All of it is that version's: then it is the one that booted.
  assert.equal(explain(boot('1.3.2'), [CURRENT, older]).manifest.version, '1.3.2');
});

test('a boot entry replaces the command line: PCR 12 says with what, PCR 9 that the kernel got it', () => {
  const line = 'quiet init=/bin/sh';
  const passed: MadeEvent = { pcr: 12, type: 'EV_IPL', data: encode(utf16leNul(rest), line) };
  const events = changed((made) => {
    if (made.description === 'the content of .linux') return [made, passed];
    return isTag(TAG.commandLine)(made) ? [tagged(9, TAG.commandLine, line)] : [made];
  });
  const found = reasons(explain(events));
  assert.deepEqual(
    found.map(({ code }) => code),
    ['command_line_replaced', 'command_line_replaced'],
  );
  assert.ok(found.some(({ text }) => text.includes('boot entry') && text.includes(line)));
});

test('an addon: the program, and what it brings', () => {
  const addon = programOf('an addon', '\\EFI\\Linux\\edge.efi.extra.d\\debug.addon.efi');
  const events = changed((made) =>
    made.description === 'the unified kernel image' ? [made, addon, tagged(12, TAG.initrdAddon, 'more')] : [made],
  );
  const found = reasons(explain(events));
  assert.deepEqual(found.map(({ code }) => code).sort(), ['addon_content', 'addon_loaded']);
  assert.ok(found.some(({ text }) => text.includes('debug.addon.efi')));
});

test('Secure Boot off: the state, and the kernel inside the UKI that firmware then measures', () => {
  const found = codes(explain(boot('1.4.0', false)));
  assert.deepEqual([...new Set(found)].sort(), ['inner_kernel', 'secure_boot_state']);
  const both = manifest('1.4.0', [
    predicted(boot('1.4.0'), condition('on'), '1.4.0'),
    predicted(boot('1.4.0', false), condition('off'), '1.4.0'),
  ]);
  assert.deepEqual(codes(explain(boot('1.4.0', false), [both])), []);
});

test('what this image does in another condition is named as that', () => {
  const second = changed((made) => [
    made.description === 'the content of .linux' ? content('.linux', 'profile 1') : made,
  ]);
  const both = manifest('1.4.0', [
    predicted(boot('1.4.0'), condition('on'), '1.4.0'),
    predicted(
      second.map((made) => ({ description: `event of PCR ${made.pcr}`, ...made })),
      condition('on', 1),
      '1.4.0',
    ),
  ]);
  const mixed = changed((made) =>
    made.pcr === 11 && made.measured !== undefined ? [made, content('.linux', 'profile 1')] : [made],
  );
  assert.deepEqual(codes(explain(mixed, [both])), ['other_condition']);
});

test('keys, revocations, and another key that lets something start', () => {
  const isVariable = (name: string, type: string) => (made: Made) =>
    made.type === type && Buffer.from(made.data).includes(Buffer.from(name, 'utf16le'));
  const db = variable('db', SECURITY_DATABASE, utf8('other keys'));
  assert.deepEqual(codes(explain(replaced(isVariable('db', 'EV_EFI_VARIABLE_DRIVER_CONFIG'), db))), [
    'variable_changed',
  ]);
  const authority = variable('db', SECURITY_DATABASE, utf8('another key of db'), true);
  assert.deepEqual(codes(explain(replaced(isVariable('db', 'EV_EFI_VARIABLE_AUTHORITY'), authority))), [
    'authority_changed',
  ]);
});

test('the disk’s table, loader.conf, a profile, a section, the initrd', () => {
  const isTable = ({ type }: Made): boolean => type === 'EV_EFI_GPT_EVENT';
  assert.deepEqual(codes(explain(replaced(isTable, table(2)))), ['partition_table_changed']);
  const conf = tagged(5, TAG.loaderConf, 'timeout 30');
  assert.deepEqual(codes(explain(replaced(isTag(TAG.loaderConf), conf))), ['loader_configuration_changed']);
  const profile = changed((made) =>
    made.description === 'the unified kernel image' ? [made, tagged(12, TAG.profile, '1')] : [made],
  );
  assert.deepEqual(codes(explain(profile)), ['profile_chosen']);
  const kernel = replaced(({ description }) => description === 'the content of .linux', content('.linux', 'evil'));
  assert.deepEqual(codes(explain(kernel)), ['section_changed']);
  assert.deepEqual(codes(explain(replaced(isTag(TAG.initrd), tagged(9, TAG.initrd, 'other')))), ['initrd_changed']);
});
