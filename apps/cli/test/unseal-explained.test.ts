// SPDX-License-Identifier: Apache-2.0
// A secret that does not open after another boot than it was sealed for: which PCR, and which event.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { logOf, type MadeEvent, madeImage, measure, sha256 } from './made-boot.ts';
import { vouchsafe } from './support.ts';

const PROGRAM = Uint8Array.from(Buffer.from('a program of somebody else'));

interface Answer {
  readonly error: { readonly code: string };
  readonly findings: readonly { readonly code: string; readonly where: { readonly pcr: number } }[];
  readonly changes: readonly {
    readonly pcr: number;
    readonly isNowReplayed: boolean;
    readonly isSealedReplayed?: boolean;
    readonly changes: readonly { readonly kind: string }[];
    readonly misfits: readonly { readonly judgement: string; readonly reason?: { readonly code: string } }[];
  }[];
}

test(
  'which event keeps a secret shut: by the log of the sealing, by a manifest, by neither',
  needsTool('swtpm', 'clevis'),
  async (t) => {
    const dir = tempDir(t);
    const swtpm = await startSwtpm(t, tempDir(t));
    const at = (name: string): string => join(dir, name);
    const tpm = (verb: string, ...args: string[]) =>
      vouchsafe(dir, 'tpm', verb, '--tpm', `swtpm:${swtpm.path}`, ...args);
    const boot = madeImage(dir);
    const last = boot.findLastIndex(({ pcr }) => pcr === 4);
    const program: MadeEvent = {
      pcr: 4,
      digest: sha256(PROGRAM),
      type: 'EV_EFI_BOOT_SERVICES_APPLICATION',
      data: new Uint8Array(),
    };
    const infected = [...boot.slice(0, last), program, ...boot.slice(last)];
    writeFileSync(at('before.log'), logOf(boot));
    writeFileSync(at('now.log'), logOf(infected));
    const replayed = vouchsafe(dir, 'log', 'replay', 'before.log', '--json');
    assert.equal(replayed.code, 0, replayed.stderr);
    writeFileSync(at('values.json'), replayed.stdout);
    writeFileSync(at('secret'), 'the key of the disk');
    const pcrs = ['--pcrs', 'sha256:4,9,11', '--pcr-values', 'values.json'];
    assert.equal(tpm('seal', 'secret', ...pcrs, '-o', 'sealed').code, 0);
    assert.equal(tpm('seal', 'secret', ...pcrs, '--format', 'clevis', '-o', 'jwe').code, 0);
    await measure(swtpm.path, infected);

    const failed = (...args: string[]): Answer => {
      const { code, stdout, stderr } = tpm('unseal', ...args, '--json', '-o', 'out');
      assert.equal(code, 1, stderr);
      return JSON.parse(stdout) as Answer;
    };
    const alone = failed('sealed');
    assert.deepEqual(
      [alone.error.code, alone.findings.map(({ where }) => where.pcr), alone.changes],
      ['policy_failed', [4], []],
    );
    const compared = failed('sealed', '--log', 'now.log', '--sealed-log', 'before.log').changes[0];
    assert.deepEqual([compared?.pcr, compared?.isNowReplayed, compared?.isSealedReplayed], [4, true, true]);
    assert.deepEqual(
      compared?.changes.map(({ kind }) => kind),
      ['added'],
    );
    const manifest = ['--manifest', 'edge.json', '--key', 'keys/manifest.pub'];
    const explained = failed('sealed', '--log', 'now.log', ...manifest).changes[0];
    assert.deepEqual(
      explained?.misfits.map(({ judgement }) => judgement),
      ['unexpected'],
    );
    // A JWE does not say what it was sealed to; the log of the sealing does, since its policy is over what that leads to.
    assert.deepEqual(failed('jwe').findings, []);
    const jwe = failed('jwe', '--log', 'now.log', '--sealed-log', 'before.log');
    assert.deepEqual([jwe.findings.map(({ where }) => where.pcr), jwe.changes[0]?.changes.length], [[4], 1]);
    assert.deepEqual(failed('jwe', '--log', 'now.log', '--sealed-log', 'now.log').findings, []);
    // A log that hides the program does not lead to what the TPM holds, and that is said.
    const hidden = failed('sealed', '--log', 'before.log', '--sealed-log', 'before.log').changes[0];
    assert.deepEqual([hidden?.isNowReplayed, hidden?.changes], [false, []]);
    const text = tpm('unseal', 'sealed', '--log', 'now.log', '--sealed-log', 'before.log', '-o', 'out');
    assert.match(text.stderr, /PCR 4 \(boot loader and kernel image\) is not what it was/);
    assert.match(text.stderr, /PCR 4, [a-z]+: new: .*EV_EFI_BOOT_SERVICES_APPLICATION/);
    assert.equal(tpm('unseal', 'sealed', '--sealed-log', 'before.log').code, 2);
    assert.equal(tpm('unseal', 'sealed', '--key', 'keys/manifest.pub').code, 2);
  },
);
