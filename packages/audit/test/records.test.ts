// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkRecordProof,
  type ExportedRecord,
  formatExportLine,
  GrowingTree,
  hashLeaf,
  isIncluded,
  logKey,
  parseExportLine,
  proveRecord,
  recordsDetail,
  saidOfRecords,
  signTreeHead,
  verifyAuditLog,
} from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { parseBase64, type Signer } from '@vouchsafe/pki';
import fc from 'fast-check';

const ORIGIN = 'vouchsafe.example/audit';
const { privateKey, publicKey } = generateKeyPair('ed25519');
const signer: Signer = {
  input: 'message',
  scheme: { kind: 'ed25519' },
  spki: publicKey.spki,
  signMessage: async (message) => signMessage(privateKey, { kind: 'ed25519' }, message),
};
const key = logKey(ORIGIN, signer.spki);

const hashOf = (text: string): Uint8Array => hashLeaf(utf8(text));
const timeOf = (ms: number): string => new Date(ms).toISOString();
const groupEntry = (records: readonly string[], atMs: number): string =>
  JSON.stringify({ at: timeOf(atMs), kind: 'verdicts.commit', detail: recordsDetail(records.map(hashOf)) });
const forgetEntry = (beforeMs: number): string =>
  JSON.stringify({ at: timeOf(beforeMs + 1000), kind: 'verdicts.forget', detail: { forgottenBeforeMs: beforeMs } });

interface Piece {
  readonly leaf: string;
  readonly records?: readonly ExportedRecord[];
}

async function findings(pieces: readonly Piece[], wantsRecords = true) {
  const tree = new GrowingTree();
  const lines = [formatExportLine({ kind: 'start', origin: ORIGIN, frontier: tree.frontier })];
  for (const [index, { leaf, records }] of pieces.entries()) {
    tree.append(utf8(leaf));
    lines.push(formatExportLine({ kind: 'entry', index, leaf }));
    if (records !== undefined) lines.push(formatExportLine({ kind: 'records', index, records }));
  }
  const note = await signTreeHead({ origin: ORIGIN, size: tree.size, root: tree.root(), atMs: 0 }, signer);
  const report = await verifyAuditLog([...lines, formatExportLine({ kind: 'head', note })], { key, wantsRecords });
  return { codes: report.findings.map(({ code }) => code), records: report.records, lines, note };
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `{"device":"ä-${i}"}`);
const whole = (records: readonly string[]): ExportedRecord[] => records.map((leaf) => ({ leaf }));

test('records that are as their entry has them hold, and are counted', async () => {
  const pieces = [1, 2, 3, 25, 256].map((count) => ({
    leaf: groupEntry(texts(count), count),
    records: whole(texts(count)),
  }));
  const { codes, records } = await findings([{ leaf: '{}' }, ...pieces]);
  assert.deepEqual(codes, []);
  assert.deepEqual(records, { committed: 287, held: 287, forgottenBeforeMs: undefined, areChecked: true });
});

test('a record that is altered, missing, moved or more than there were is found', async () => {
  const records = texts(5);
  const leaf = groupEntry(records, 1000);
  const of = async (changed: readonly ExportedRecord[]) => (await findings([{ leaf, records: changed }])).codes;
  for (let i = 0; i < records.length; i++) {
    assert.deepEqual(await of(whole(records.with(i, 'x'))), ['audit_records_altered']);
    assert.deepEqual(await of(whole(records.toSpliced(i, 1))), ['audit_records_altered']);
    assert.deepEqual(await of(whole(records).with(i, { hash: hashOf(records[i] as string) })), [
      'audit_records_removed',
    ]);
  }
  assert.deepEqual(await of(whole(records.toReversed())), ['audit_records_altered']);
  assert.deepEqual(await of(whole([...records, 'x'])), ['audit_records_altered']);
  assert.deepEqual(await of([]), ['audit_records_altered']);
  assert.deepEqual((await findings([{ leaf }])).codes, ['audit_records_removed']);
  assert.deepEqual((await findings([{ leaf }, { leaf: '{}' }])).codes, ['audit_records_removed']);
  assert.deepEqual((await findings([{ leaf }], false)).codes, [], 'nobody asked for them');
});

test('what the log says was forgotten may be missing, and nothing younger', async () => {
  const [old, young] = [groupEntry(texts(3), 1000), groupEntry(texts(2), 2000)];
  const forget = { leaf: forgetEntry(2000) };
  const present = { leaf: young, records: whole(texts(2)) };
  const { codes, records } = await findings([{ leaf: old }, present, forget]);
  assert.deepEqual([codes, records.forgottenBeforeMs, records.held], [[], 2000, 2]);
  assert.deepEqual((await findings([{ leaf: old }, { leaf: young }, forget])).codes, ['audit_records_removed']);
  assert.deepEqual((await findings([{ leaf: old }, { leaf: young }, { leaf: forgetEntry(2001) }])).codes, []);
  // A record of before that time is held to its entry all the same.
  const altered = { leaf: old, records: whole(['x', 'y', 'z']) };
  assert.deepEqual((await findings([altered, present, forget])).codes, ['audit_records_altered']);
});

test('records are proved one by one, up to the signed head', async () => {
  for (const count of [1, 2, 5, 8]) {
    const records = texts(count);
    const hashes = records.map(hashOf);
    const leaf = groupEntry(records, 1);
    const root = parseBase64(recordsDetail(hashes).records.root);
    const { note } = await findings([{ leaf: '{}' }, { leaf, records: whole(records) }]);
    for (const [index, record] of records.entries()) {
      const path = await proveRecord(hashes, index);
      assert.ok(isIncluded(hashes[index] as Uint8Array, index, count, path, root));
      const proof = { record, index, hashes: path, note, entry: { leaf, index: 1, hashes: [hashOf('{}')] } };
      const outcome = checkRecordProof(proof, key);
      assert.ok(outcome.holds && outcome.groupSize === count && outcome.head.size === 2);
      const fault = (changed: object): string => {
        const found = checkRecordProof({ ...proof, ...changed }, key);
        return found.holds ? 'holds' : found.fault;
      };
      assert.equal(fault({ record: 'x' }), 'record_not_in_entry');
      assert.equal(fault({ index: index + 1 }), 'record_not_in_entry');
      assert.equal(fault({ hashes: [...path, hashOf('x')] }), 'record_not_in_entry');
      assert.equal(fault({ entry: { ...proof.entry, leaf: groupEntry(['x'], 1) } }), 'entry_not_in_log');
      assert.equal(fault({ entry: { leaf: '{}', index: 0, hashes: [hashOf(leaf)] } }), 'record_not_in_entry');
      assert.equal(fault({ note: note.replace(/— (.*) .*/, `— $1 ${'A'.repeat(92)}`) }), 'head_unsigned');
    }
    await assert.rejects(proveRecord(hashes, count), { code: 'audit_argument' });
  }
});

test('what a line of records says it says again', () => {
  const record = fc.oneof(
    fc.string().map((leaf) => ({ leaf })),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => ({ hash })),
  );
  fc.assert(
    fc.property(fc.nat(), fc.array(record), (index, records) => {
      const line = { kind: 'records', index, records } as const;
      assert.deepEqual(parseExportLine(formatExportLine(line)), line);
    }),
  );
});

test('malformed: lines of records, entries that stand for them', async () => {
  for (const records of [null, {}, [null], [{}], ['x'], [{ hash: '!' }], [{ leaf: 'x', hash: '' }], Array(4097)]) {
    const text = JSON.stringify({ kind: 'records', index: 0, records });
    assert.throws(() => parseExportLine(text), { code: 'audit_export_malformed' }, text);
  }
  const root = recordsDetail([hashOf('x')]).records.root;
  for (const said of [
    { at: 'x', detail: { records: { size: 1, root } } },
    { at: timeOf(0), detail: { records: { size: 0, root } } },
    { at: timeOf(0), detail: { records: { size: 4097, root } } },
    { at: timeOf(0), detail: { records: { size: 1, root: root.slice(4) } } },
    { at: timeOf(0), detail: { forgottenBeforeMs: 0.5 } },
  ]) {
    assert.throws(() => saidOfRecords(JSON.stringify(said)), { code: 'audit_export_malformed' });
  }
  // What only looks like it is none: a label, a text that is no JSON.
  for (const leaf of ['"records":{', JSON.stringify({ label: { records: { size: 1 } } }), '{"detail":{"x":1}}']) {
    assert.equal(saidOfRecords(leaf), undefined, leaf);
  }
  const { lines } = await findings([{ leaf: groupEntry(['x'], 1), records: whole(['x']) }]);
  const [start, entry, records] = lines as [string, string, string];
  for (const bad of [[start, records], [start, entry, records, records], [records]]) {
    await assert.rejects(verifyAuditLog(bad, { key }), { code: 'audit_export_malformed' });
  }
});
