// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatExportLine,
  formatLogKey,
  GrowingTree,
  logKey,
  parseExportLine,
  parseLogKey,
  signTreeHead,
  type VerifyLogOptions,
  verifyAuditLog,
  verifyTreeHead,
} from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import { verifySignature } from '@vouchsafe/crypto';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { parseBase64, type Signer } from '@vouchsafe/pki';

const ORIGIN = 'vouchsafe.example/audit';
const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPair('ed25519');
  const scheme = { kind: 'ed25519' } as const;
  const sign = async (message: Uint8Array) => signMessage(privateKey, scheme, message);
  return { input: 'message', scheme, spki: publicKey.spki, signMessage: sign };
}

const signer = newSigner();
const key = logKey(ORIGIN, signer.spki);

const leafOf = (i: number): string => JSON.stringify({ kind: 'verdict', device: `ä-${i}`, i });

/** The lines of an export from one entry on, with heads at the sizes given. */
async function exported(size: number, { from = 0, heads = [size] } = {}): Promise<string[]> {
  const tree = new GrowingTree();
  const lines: string[] = [];
  const start = (): unknown =>
    tree.size === from && lines.push(formatExportLine({ kind: 'start', origin: ORIGIN, frontier: tree.frontier }));
  start();
  for (let i = 0; i < size; i++) {
    tree.append(utf8(leafOf(i)));
    start();
    if (i >= from) lines.push(formatExportLine({ kind: 'entry', index: i, leaf: leafOf(i) }));
    if (heads.includes(tree.size)) lines.push(formatExportLine({ kind: 'head', note: await headAt(tree) }));
  }
  return lines;
}

const headAt = (tree: GrowingTree, by = signer): Promise<string> =>
  signTreeHead({ origin: ORIGIN, size: tree.size, root: tree.root(), atMs: AT }, by);

async function knownHead(size: number): Promise<string> {
  const tree = new GrowingTree();
  for (let i = 0; i < size; i++) tree.append(utf8(leafOf(i)));
  return headAt(tree);
}

async function codes(lines: readonly string[], options: Partial<VerifyLogOptions> = {}): Promise<string[]> {
  const { findings } = await verifyAuditLog(lines, { key, ...options });
  return findings.map(({ code }) => code);
}

/** The line of an entry with other contents. */
const altered = (line: string, leaf: string): string => {
  const entry = parseExportLine(line);
  assert.equal(entry.kind, 'entry');
  return formatExportLine({ ...entry, leaf } as typeof entry & { leaf: string });
};

test('a whole log holds, and says what it covers', async () => {
  const seen: string[] = [];
  const lines = await exported(11, { heads: [3, 11] });
  const report = await verifyAuditLog(lines, { key, onEntry: (_, leaf) => seen.push(leaf) });
  assert.deepEqual(report.findings, []);
  assert.equal(report.entries, 11);
  assert.equal(report.size, 11);
  assert.equal(report.head?.size, 11);
  assert.equal(report.head?.atMs, AT);
  assert.equal(seen[10], leafOf(10));
});

test('any entry that is altered, removed, put in or moved is found', async () => {
  const lines = await exported(9);
  for (let i = 1; i <= 9; i++) {
    assert.deepEqual(await codes(lines.with(i, altered(lines[i] as string, '{}'))), [
      'audit_altered',
      'audit_unsigned',
    ]);
  }
  // Removed, with the numbers of the others made to fit.
  const renumbered = lines.toSpliced(4, 1).map((line) => {
    const entry = parseExportLine(line);
    return entry.kind === 'entry' && entry.index > 3 ? formatExportLine({ ...entry, index: entry.index - 1 }) : line;
  });
  assert.deepEqual(await codes(renumbered), ['audit_removed', 'audit_unsigned']);
  const [a, b] = [parseExportLine(lines[2] as string), parseExportLine(lines[3] as string)];
  assert.ok(a.kind === 'entry' && b.kind === 'entry');
  const swapped = lines
    .with(2, formatExportLine({ ...a, leaf: b.leaf }))
    .with(3, formatExportLine({ ...b, leaf: a.leaf }));
  assert.deepEqual(await codes(swapped), ['audit_altered', 'audit_unsigned']);
  // An entry missing shows in the numbers already.
  await assert.rejects(codes(lines.toSpliced(4, 1)), { code: 'audit_export_malformed' });
});

test('a log that was made anew, or cut short, does not agree with a head that was kept', async () => {
  const kept = await knownHead(6);
  const lines = await exported(9);
  assert.deepEqual(await codes(lines, { knownHeads: [kept] }), []);
  // The log's owner signs another history: it holds by itself, and not beside what was signed before.
  const tree = new GrowingTree();
  const other = [formatExportLine({ kind: 'start', origin: ORIGIN, frontier: tree.frontier })];
  for (let i = 0; i < 9; i++) {
    const leaf = i === 2 ? '{"kind":"nothing"}' : leafOf(i);
    tree.append(utf8(leaf));
    other.push(formatExportLine({ kind: 'entry', index: i, leaf }));
  }
  other.push(formatExportLine({ kind: 'head', note: await headAt(tree) }));
  assert.deepEqual(await codes(other), []);
  assert.deepEqual(await codes(other, { knownHeads: [kept] }), ['audit_altered']);
  assert.deepEqual(await codes(await exported(5), { knownHeads: [kept] }), ['audit_removed']);
});

test('an export from a kept head on is enough, and one from later is not', async () => {
  const knownHeads = [await knownHead(6)];
  assert.deepEqual(await codes(await exported(9, { from: 6 }), { knownHeads }), []);
  assert.deepEqual(await codes(await exported(9, { from: 2 }), { knownHeads }), []);
  assert.deepEqual(await codes(await exported(9, { from: 7 }), { knownHeads }), ['audit_unreached']);
  const lines = await exported(9, { from: 6 });
  const start = parseExportLine(lines[0] as string);
  assert.ok(start.kind === 'start');
  const [first, ...rest] = start.frontier.nodes;
  const nodes = [first?.map((octet, i) => (i === 0 ? octet ^ 1 : octet)) as Uint8Array, ...rest];
  const forged = lines.with(0, formatExportLine({ ...start, frontier: { size: 6, nodes } }));
  assert.deepEqual(await codes(forged, { knownHeads }), ['audit_altered', 'audit_altered', 'audit_unsigned']);
});

test('a head by another key counts for nothing, nor does a log without a head', async () => {
  const tree = new GrowingTree();
  tree.append(utf8(leafOf(0)));
  const lines = await exported(1, { heads: [] });
  assert.deepEqual(await codes(lines), ['audit_unsigned']);
  const forged = formatExportLine({ kind: 'head', note: await headAt(tree, newSigner()) });
  assert.deepEqual(await codes([...lines, forged]), ['audit_head_unsigned', 'audit_unsigned']);
  assert.deepEqual(await codes(await exported(4, { heads: [3] })), ['audit_uncovered']);
});

test('malformed: lines, order, the wrong log', async () => {
  const lines = await exported(3);
  for (const line of [
    'x',
    '1',
    'null',
    '{}',
    '{"kind":"entry","index":-1,"leaf":""}',
    '{"kind":"start","origin":"x"}',
  ]) {
    await assert.rejects(codes([line]), { code: 'audit_export_malformed' }, line);
  }
  await assert.rejects(codes(lines.slice(1)), { code: 'audit_export_malformed' });
  await assert.rejects(codes([lines[0] as string, ...lines]), { code: 'audit_export_malformed' });
  await assert.rejects(codes([`{"kind":"entry","index":0,"leaf":"${'x'.repeat(300_000)}"}`]), {
    code: 'audit_export_malformed',
  });
  const elsewhere = formatExportLine({ kind: 'start', origin: 'other', frontier: { size: 0, nodes: [] } });
  await assert.rejects(codes([elsewhere]), { code: 'audit_export_malformed' });
});

test('a signed head: every change of a character is refused or does not verify', async () => {
  const note = await knownHead(5);
  assert.equal(verifyTreeHead(note, key)?.size, 5);
  for (let i = 0; i < note.length; i++) {
    const changed = `${note.slice(0, i)}${note[i] === '1' ? '2' : '1'}${note.slice(i + 1)}`;
    let head: unknown;
    try {
      head = verifyTreeHead(changed, key);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'audit_head_malformed');
    }
    assert.equal(head, undefined, `character ${i}`);
    assert.throws(() => assert.ok(verifyTreeHead(note.slice(0, i), key)));
  }
  // A witness's signature beside the log's own is passed over.
  const witnessed = `${note}\u2014 witness.example AAAAAAAA\n`;
  assert.equal(verifyTreeHead(witnessed, key)?.size, 5);
});

test('keys and notes are those of the C2SP', () => {
  // golang.org/x/mod/sumdb/note: the example of its documentation.
  const text = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const theirs = parseLogKey(text);
  assert.equal(formatLogKey(theirs), text);
  const said =
    'If you think cryptography is the answer to your problem,\nthen you don\u2019t know what your problem is.\n';
  const signature = parseBase64(
    'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=',
  );
  assert.deepEqual(signature.subarray(0, 4), theirs.id);
  const holds = (message: string): boolean =>
    verifySignature(theirs.publicKey, { kind: 'ed25519' }, utf8(message), signature.subarray(4));
  assert.ok(holds(said) || holds(said.replace('\u2019', "'")));
  assert.deepEqual(parseLogKey(formatLogKey(key)).id, key.id);
  for (const bad of ['', 'a', 'a+c74f20a3', text.replace('c74f20a3', 'c74f20a4'), text.slice(0, -4), `x${text}`]) {
    assert.throws(() => parseLogKey(bad), { code: 'audit_key_malformed' }, bad);
  }
  assert.throws(() => logKey('a b', signer.spki), { code: 'audit_key_malformed' });
  assert.throws(() => logKey('a', generateKeyPair('P-256').publicKey.spki), { code: 'audit_key_malformed' });
});
