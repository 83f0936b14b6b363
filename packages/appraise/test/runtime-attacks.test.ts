// SPDX-License-Identifier: Apache-2.0
// A38 to A43: what can be done to IMA's list, and what it tells.
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import type { Evidence, ReferenceSet, Verdict } from '@vouchsafe/appraise';
import { concatBytes, utf8 } from '@vouchsafe/base';
import {
  aggregate,
  buffer,
  FILES,
  file,
  fileDigest,
  listOf,
  type MadeEntry,
  pcr10After,
  signedFile,
  USED,
  violation,
  withPcr,
} from './made-ima.ts';
import { baselineOf, codesOf, evidenceOf, GOOD, imageOf, type Scene, sha256Hex, verdictOn } from './scene.ts';
import { hash, pcrsAfter, quoteOver, selectionOf } from './support.ts';

const ROOT_HASH = 'ab'.repeat(32);
const REFERENCES: ReferenceSet = {
  images: [imageOf({ files: FILES, roots: [{ mount: '/', algorithm: 'sha256', rootHash: ROOT_HASH }] })],
  baselines: [baselineOf()],
};

interface ImaScene extends Scene {
  /** What extended PCR 10, from the boot on. */
  readonly measured?: readonly MadeEntry[];
  /** What the list says; the same unless given. */
  readonly list?: readonly MadeEntry[];
  readonly offset?: number;
}

function evidenceWith({ measured = USED, list = measured, offset = 0, ...scene }: ImaScene): Evidence {
  const { logs } = evidenceOf(scene);
  const values = withPcr(pcrsAfter(GOOD), 10, pcr10After(measured));
  return {
    quote: quoteOver(selectionOf('sha256'), values, scene.quote),
    logs: { ...logs, ima: { offset, bytes: listOf(list) } },
  };
}

const verdictWith = (scene: ImaScene): Verdict =>
  verdictOn({ references: REFERENCES, ...scene, input: { evidence: evidenceWith(scene), ...scene.input } });

function assertRefused(verdict: Verdict, ...codes: string[]): void {
  assert.deepEqual([verdict.status, codesOf(verdict)], ['contraindicated', codes]);
}

test('files of the image alone are affirmed; what was added to the list after the quote is not looked at', () => {
  const verdict = verdictWith({});
  assert.deepEqual([verdict.status, codesOf(verdict)], ['affirming', []]);
  const { entries, isMeasured, isAppraised, isAggregateGood, unknownFiles } = verdict.facts.runtime;
  assert.deepEqual([entries, isMeasured, isAppraised, isAggregateGood, unknownFiles], [3, true, true, true, 0]);
  const later = verdictWith({ measured: USED, list: [...USED, file('/tmp/evil', 'evil')] });
  assert.deepEqual([later.status, later.facts.runtime.entries], ['affirming', 3]);
  assert.equal(later.state?.ima?.offset, listOf(USED).length);
});

test('the list goes on where it was left: entry by entry it comes to what it comes to at once', () => {
  const all = [...USED, file('/tmp/tool', 'a tool'), file('/usr/share/data', 'data')];
  let previous = verdictWith({ measured: USED }).state;
  for (let i = USED.length; i < all.length; i++) {
    const offset = previous?.ima?.offset ?? 0;
    const verdict = verdictWith({
      measured: all.slice(0, i + 1),
      list: all.slice(i, i + 1),
      offset,
      previous,
      quote: { clock: BigInt(i + 10) },
    });
    previous = verdict.state;
  }
  const whole = verdictWith({ measured: all });
  assert.deepEqual(previous?.ima, whole.state?.ima);
  assert.equal(whole.facts.runtime.unknownFiles, 1);
});

test('what was found before is said again as long as the boot lasts', () => {
  const first = verdictWith({ measured: [...USED, file('/tmp/tool', 'a tool')] });
  assertRefused(first, 'ima_file_unknown', 'policy_denied');
  const { previous, quote } = { previous: first.state, quote: { clock: 5n } };
  const again = verdictWith({ measured: [...USED, file('/tmp/tool', 'a tool')], list: [], offset: 1, previous, quote });
  assertRefused(again, 'ima_file_unknown', 'policy_denied');
});

test('a list that is sent whole in a boot that goes on is appraised whole, with the boot log', () => {
  const { state } = verdictWith({});
  const evidence = evidenceWith({ quote: { clock: 5n } });
  const { firmware, ...others } = evidence.logs;
  const input = { evidence: { quote: evidence.quote, logs: { ...others, firmware: { sha256: firmware.sha256 } } } };
  assert.ok(verdictWith({ previous: state, input }).needsFirmwareLog);
  const again = verdictWith({ previous: state, quote: { clock: 5n } });
  assert.deepEqual([again.status, again.facts.runtime.entries], ['affirming', 3]);
  // The first time nobody asked for the list.
  const { ima: _, ...without } = others;
  const first = verdictOn({
    references: REFERENCES,
    input: { evidence: { quote: evidenceWith({}).quote, logs: { ...without, firmware } } },
  });
  assert.deepEqual([first.state?.ima, first.state?.failure], [undefined, undefined]);
  assert.equal(verdictWith({ previous: first.state, quote: { clock: 5n } }).status, 'affirming');
});

test('A38: a violation is counted and not passed over', () => {
  const verdict = verdictWith({ measured: [...USED, violation('/usr/bin/agent')] });
  assertRefused(verdict, 'ima_violation', 'policy_denied');
  assert.equal(verdict.facts.runtime.violations, 1);
  // As a zero digest in the list, with the PCR extended by what it is said to be.
  const forged = [...USED, { ...file('/usr/bin/agent', 'the agent'), isViolation: true }];
  assertRefused(
    verdictWith({ measured: [...USED, file('/usr/bin/agent', 'the agent')], list: forged }),
    'ima_mismatch',
    'policy_denied',
  );
});

test('A39: another offset than was asked for, a list of another boot, and one with something left out are refused', () => {
  const { state } = verdictWith({});
  const more = [...USED, file('/usr/share/data', 'data')];
  const { previous, quote } = { previous: state, quote: { clock: 5n } };
  const skipped = verdictWith({
    measured: more,
    list: more.slice(2),
    offset: listOf(USED.slice(0, 2)).length,
    previous,
    quote,
  });
  assertRefused(skipped, 'ima_offset', 'policy_denied');
  const other = [aggregate(GOOD.slice(1)), ...USED.slice(1)];
  assertRefused(verdictWith({ measured: USED, list: other }), 'ima_mismatch', 'policy_denied');
  for (let left = 0; left < USED.length; left++) {
    const list = USED.filter((_, i) => i !== left);
    assertRefused(verdictWith({ measured: USED, list }), 'ima_mismatch', 'policy_denied');
  }
  const lied = verdictWith({ measured: more, list: more.slice(3), offset: state?.ima?.offset ?? 0, quote });
  assertRefused(lied, 'ima_offset', 'policy_denied');
});

test('A39: after a reset the list begins anew; what was appraised of the boot before does not count', () => {
  const { state } = verdictWith({});
  const quote = { clock: 9n, resetCount: 2 };
  const stale = verdictWith({ measured: USED, list: [], offset: state?.ima?.offset ?? 0, previous: state, quote });
  assertRefused(stale, 'ima_offset', 'policy_denied');
  assert.equal(verdictWith({ previous: state, quote }).status, 'affirming');
});

test('A40: names with newlines, spaces and NULs change nothing but their own entry', () => {
  const odd = [
    file('/tmp/a\nb c', 'x'),
    file(concatBytes(utf8('/usr/bin/agent'), Uint8Array.of(0), utf8('evil')), 'x'),
  ];
  const verdict = verdictWith({ measured: [...USED, ...odd] });
  assertRefused(verdict, 'ima_file_unknown', 'ima_unread', 'policy_denied');
  assert.deepEqual([verdict.facts.runtime.unknownFiles, verdict.facts.runtime.unknownEntries], [1, 1]);
  assert.ok(verdict.findings.every(({ hint }) => hint.length <= 2048));
});

test('A41: nothing is excluded: programs of memory, of a temporary folder and scripts are unknown files', () => {
  for (const path of ['memfd:kernel', '/dev/shm/x', '/tmp/run.sh', '/var/lib/x']) {
    const verdict = verdictWith({ measured: [...USED, file(path, 'evil')] });
    assertRefused(verdict, 'ima_file_unknown', 'policy_denied');
    assert.ok(verdict.findings[0]?.hint.startsWith(path));
  }
  // The name of a file of the image does not make its content the image's.
  const named = verdictWith({ measured: [...USED, file('/usr/bin/agent', 'evil')] });
  assert.match(named.findings[0]?.hint ?? '', /another content than the image’s/);
});

test('A41: a file of another image is named by it', () => {
  const older = {
    ...FILES,
    files: FILES.files.map((one) => (one.path === '/usr/bin/agent' ? { ...one, sha256: sha256Hex(utf8('old')) } : one)),
  };
  const references = {
    ...REFERENCES,
    images: [...REFERENCES.images, imageOf({ version: '1.3.2', files: older, boot: GOOD.slice(1) })],
  };
  const verdict = verdictWith({ references, measured: [...USED, file('/usr/bin/agent', 'old')] });
  assert.match(verdict.findings[0]?.hint ?? '', /it is the one of edge 1\.3\.2/);
});

test('A42: a list that does not begin with this boot’s PCRs is refused', () => {
  for (const first of [aggregate(GOOD.slice(1)), file('/usr/bin/agent', 'the agent'), violation('boot_aggregate')]) {
    const verdict = verdictWith({ measured: [first, ...USED.slice(1)] });
    assert.ok(codesOf(verdict).includes('ima_aggregate'), verdict.findings[0]?.hint);
    assert.equal(verdict.status, 'contraindicated');
  }
  const weak = { ...aggregate(), data: fileDigest('boot_aggregate', hash('sha1')).data };
  assert.ok(codesOf(verdictWith({ measured: [weak] })).includes('ima_aggregate'));
});

const table = (target: string): string =>
  `dm_version=4.45.0;name=root,uuid=CRYPT-VERITY-1-root,major=253,minor=0,minor_count=1,num_targets=1;${target};`;
const verityTarget = (hex: string): string =>
  `target_index=0,target_begin=0,target_len=2048,target_name=verity,target_version=1.8.0,hash_failed=V,verity_version=1,data_device_name=8:1,hash_device_name=8:2,verity_algorithm=sha256,root_digest=${hex},salt=00`;
const resume = (name: string): MadeEntry =>
  buffer(
    name,
    `dm_version=4.45.0;name=root,uuid=x,major=253,minor=0,minor_count=1,num_targets=1;current_device_capacity=2048;`,
  );

test('A43: a verity device with the image’s root hash is good, as long as nothing is done to it', () => {
  const good = verdictWith({ measured: [...USED, buffer('dm_table_load', table(verityTarget(ROOT_HASH)))] });
  assert.deepEqual([good.status, good.facts.runtime.verityDevices], ['affirming', 1]);
  const other = verdictWith({ measured: [...USED, buffer('dm_table_load', table(verityTarget('cd'.repeat(32))))] });
  assertRefused(other, 'verity_root', 'policy_denied');
  const linear =
    'target_index=0,target_begin=0,target_len=2048,target_name=linear,target_version=1.4.0,device_name=8:1,start=0';
  for (const later of [buffer('dm_table_load', table(linear)), resume('dm_device_remove'), resume('dm_table_clear')]) {
    const verdict = verdictWith({
      measured: [...USED, buffer('dm_table_load', table(verityTarget(ROOT_HASH))), later],
    });
    assertRefused(verdict, 'verity_off', 'policy_denied');
    assert.equal(verdict.facts.runtime.isVerityIntact, false);
  }
  // The record is not what was measured.
  const lie = buffer('dm_table_load', table(verityTarget(ROOT_HASH)), table(verityTarget('cd'.repeat(32))));
  assertRefused(verdictWith({ measured: [...USED, lie] }), 'ima_unread', 'policy_denied');
});

test('what else the kernel measures is unknown, but for its own release', () => {
  assert.equal(verdictWith({ measured: [...USED, buffer('kernel_version', '6.1.0-56')] }).status, 'affirming');
  for (const name of ['kexec-cmdline', '.builtin_trusted_keys', 'selinux-state', 'dm_something']) {
    const verdict = verdictWith({ measured: [...USED, buffer(name, 'x')] });
    assertRefused(verdict, 'ima_buffer_unknown', 'policy_denied');
    assert.equal(verdict.facts.runtime.unknownEntries, 1);
  }
});

/** security.ima: type 3, version 2, the hash's number, a hint, the length, the signature. */
function securityIma(
  key: KeyObject,
  content: string,
  change: (octets: Uint8Array) => void = () => undefined,
): Uint8Array {
  const signature = sign('sha256', utf8(content), key);
  const octets = concatBytes(
    Uint8Array.of(3, 2, 4, 1, 2, 3, 4, signature.length >> 8, signature.length & 0xff),
    signature,
  );
  change(octets);
  return octets;
}

for (const [kind, { privateKey, publicKey }] of [
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'prime256v1' })],
] as const) {
  test(`a file that no image has is good when a trusted ${kind} key has signed it, unless it is denied`, () => {
    const imaKeys = [Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }))];
    const references = { ...REFERENCES, imaKeys };
    const measured = [...USED, signedFile('/opt/tool', 'a tool', securityIma(privateKey, 'a tool'))];
    const verdict = verdictWith({ references, measured });
    assert.deepEqual([verdict.status, verdict.facts.runtime.signedFiles], ['affirming', 1]);
    assertRefused(verdictWith({ measured }), 'ima_file_unknown', 'policy_denied');
    const denied = { ...references, deniedFiles: [sha256Hex(utf8('a tool'))] };
    assertRefused(verdictWith({ references: denied, measured }), 'ima_file_denied', 'policy_denied');
    const forged = [
      securityIma(privateKey, 'another tool'),
      securityIma(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'a tool'),
      ...[0, 1, 2, 7, 8, 20].map((at) =>
        securityIma(privateKey, 'a tool', (octets) => void octets.set([(octets[at] as number) ^ 1], at)),
      ),
      new Uint8Array(3),
    ];
    for (const signature of forged) {
      const signed = [...USED, signedFile('/opt/tool', 'a tool', signature)];
      assertRefused(verdictWith({ references, measured: signed }), 'ima_file_unknown', 'policy_denied');
    }
  });
}

test('A denied file is refused, whether the image has it or not; an allowed one is not the image’s and good', () => {
  const agent = sha256Hex(utf8('the agent'));
  assertRefused(
    verdictWith({ references: { ...REFERENCES, deniedFiles: [agent] } }),
    'ima_file_denied',
    'policy_denied',
  );
  const references = { ...REFERENCES, allowedFiles: [sha256Hex(utf8('a tool'))] };
  assert.equal(verdictWith({ references, measured: [...USED, file('/opt/tool', 'a tool')] }).status, 'affirming');
});

test('without the list, and without lists of files, nothing is affirmed', () => {
  const { quote, logs } = evidenceWith({});
  const { ima: _, ...others } = logs;
  const none = verdictOn({ references: REFERENCES, input: { evidence: { quote, logs: others } } });
  assertRefused(none, 'ima_unappraised', 'policy_denied');
  const unlisted = verdictWith({ references: { images: [imageOf()], baselines: [baselineOf()] } });
  assertRefused(unlisted, 'ima_unlisted', 'policy_denied');
  assert.equal(unlisted.facts.runtime.unknownFiles, 2);
});

test('a list that is cut anywhere, or has an entry changed, is refused and never thrown about', () => {
  const bytes = listOf(USED);
  const { quote, logs } = evidenceWith({});
  for (let length = 0; length < bytes.length; length += 7) {
    const ima = { offset: 0, bytes: bytes.subarray(0, length) };
    const verdict = verdictOn({ references: REFERENCES, input: { evidence: { quote, logs: { ...logs, ima } } } });
    assert.equal(verdict.status, 'contraindicated');
  }
  for (let at = 0; at < bytes.length; at += 11) {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ 1;
    const ima = { offset: 0, bytes: changed };
    const verdict = verdictOn({ references: REFERENCES, input: { evidence: { quote, logs: { ...logs, ima } } } });
    assert.equal(verdict.status, 'contraindicated', `octet ${at}`);
  }
});
