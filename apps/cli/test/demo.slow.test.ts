// SPDX-License-Identifier: Apache-2.0
// The main job as the README has it: an image, a service, and two machines under emulation, one of them tampered with.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { vouchsafe } from './support.ts';

const COMMAND = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));
const tools = needsTool(
  ...[
    'qemu-system-x86_64',
    'swtpm',
    'swtpm_setup',
    'swtpm_localca',
    'certtool',
    'dmsetup',
    'busybox',
    'dpkg',
    'openssl',
  ],
);

interface Finding {
  readonly code: string;
  readonly where: { readonly pcr?: number };
}
interface Outcome {
  readonly isAsPromised: boolean;
  readonly machines: readonly {
    readonly name: string;
    readonly state: string;
    readonly hasSecret: boolean;
    readonly certificate?: string;
    readonly verdict: { readonly status: string; readonly isTrusted: boolean; readonly findings: readonly Finding[] };
    readonly files: { readonly evidence: string; readonly certificate: string };
  }[];
  readonly fleet?: { readonly size: number; readonly trusted: number; readonly certificates: number };
}

describe('vouchsafe demo', tools, () => {
  const cleanups: (() => void)[] = [];
  let folder: string;
  let outcome: Outcome;
  let progress: string;

  before(() => {
    if (tools.skip !== undefined) return;
    // Any folder will do: tools in the chain take commas and spaces apart.
    folder = join(tempDir({ after: (fn) => void cleanups.push(fn as () => void) }), 'a demo, in Zürich');
    const { status, stdout, stderr } = spawnSync(COMMAND, ['demo', '-o', folder, '--fleet', '20', '--json'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    outcome = JSON.parse(stdout);
    progress = stderr;
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('the good machine is trusted, and gets its certificate and its secret', () => {
    const [good] = outcome.machines;
    assert.deepEqual(
      [good?.state, good?.verdict.status, good?.hasSecret, good?.certificate],
      ['trusted', 'affirming', true, 'CN=good'],
    );
    assert.equal(outcome.isAsPromised, true);
  });

  test('the other, whose signatures are all right, is refused for the event that gave it away, and gets neither', () => {
    const [, tampered] = outcome.machines;
    assert.deepEqual(
      [tampered?.state, tampered?.verdict.isTrusted, tampered?.hasSecret, tampered?.certificate],
      ['untrusted', false, false, undefined],
    );
    const found = tampered?.verdict.findings.map(({ code, where }) => `${code} ${where.pcr ?? ''}`);
    assert.ok(found?.includes('event_unexpected 12'), `${found}`);
  });

  test('simulated machines with the same boot, and TPMs of a maker that is trusted, are trusted as any other', () => {
    const { size, trusted, certificates } = outcome.fleet ?? {};
    assert.deepEqual({ size, trusted, certificates }, { size: 20, trusted: 20, certificates: 20 });
    assert.match(progress, /20 of 20 have attested/);
  });

  test('anybody can check the quote and the certificate by the files that are named', () => {
    const { evidence, certificate } = outcome.machines[0]?.files ?? assert.fail('no machine');
    const file = (name: string): string => join(evidence, name);
    const nonce = readFileSync(file('nonce'), 'utf8').trim();
    const quote = ['--ak', file('ak.pem'), '--attest', file('quote.attest'), '--signature', file('quote.signature')];
    const { code, stderr } = vouchsafe(
      '.',
      'quote',
      'verify',
      ...quote,
      '--pcrs',
      file('quote.pcrs'),
      '--nonce',
      nonce,
    );
    assert.equal(code, 0, stderr);
    const names = execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-ext', 'subjectAltName'], {
      encoding: 'utf8',
    });
    assert.match(names, /URI:spiffe:\/\/[a-z.]+\/device\/good/);
  });

  test('each step is shown with its commands, and no token or secret', () => {
    assert.match(progress, /1\. Keys/);
    assert.match(progress, /vouchsafe image build/);
    assert.match(progress, /tampered +root verified/);
    assert.ok(!progress.includes(readFileSync(join(folder, 'run/disk-key'), 'utf8')));
    assert.ok(!progress.includes(JSON.parse(readFileSync(join(folder, 'run/admin.json'), 'utf8')).token));
  });

  test('a folder that is somebody’s stays as it is', () => {
    const other = join(folder, '..', 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'thesis.txt'), 'ten years of work');
    const { code, stdout } = vouchsafe(other, 'demo', '-o', '.', '--json');
    assert.deepEqual([code, JSON.parse(stdout).error.code], [3, 'folder_taken']);
    assert.equal(readFileSync(join(other, 'thesis.txt'), 'utf8'), 'ten years of work');
  });
});
