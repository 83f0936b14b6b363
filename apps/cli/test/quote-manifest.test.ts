// SPDX-License-Identifier: Apache-2.0
// quote verify --manifest: the state of a software TPM that went through a boot, quoted, beside the manifest of the image.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { logOf, type MadeEvent, madeImage, measure, SEPARATOR, sha256 } from './made-boot.ts';
import { type Outcome, vouchsafe } from './support.ts';

const NONCE = '00112233445566778899aabbccddeeff';

/** A software TPM that was extended with the events; its quote over PCR 0 to 15, checked with these options. */
async function quotedMachine(t: TestContext, dir: string, measured: readonly MadeEvent[]) {
  const swtpm = await startSwtpm(t, tempDir(t));
  await measure(swtpm.path, measured);
  const pcrs = `sha256:${Array.from({ length: 16 }, (_, pcr) => pcr).join(',')}`;
  const files = ['--attest', 'q.attest', '--signature', 'q.sig', '--nonce', NONCE];
  const quoted = vouchsafe(
    dir,
    'tpm',
    'quote',
    '--tpm',
    `swtpm:${swtpm.path}`,
    ...files,
    '--pcr-values',
    'q.pcrs',
    '--ak-public',
    'ak.pem',
    '--pcrs',
    pcrs,
    '--force',
  );
  assert.equal(quoted.code, 0, quoted.stderr);
  return (log: readonly MadeEvent[], ...more: string[]): Outcome => {
    writeFileSync(join(dir, 'boot.log'), logOf(log));
    return vouchsafe(
      dir,
      'quote',
      'verify',
      '--ak',
      'ak.pem',
      ...files,
      '--pcrs',
      'q.pcrs',
      '--log',
      'boot.log',
      ...more,
    );
  };
}

interface Answer {
  readonly isGood: boolean;
  readonly status: string;
  readonly findings: readonly { readonly code: string; readonly where: { readonly pcr?: number } }[];
  readonly explanation: { readonly manifest: { readonly version: string; readonly isVerified: boolean } };
}

const answerOf = ({ stdout }: Outcome): Answer => JSON.parse(stdout) as Answer;
const codesOf = (outcome: Outcome): string[] => [...new Set(answerOf(outcome).findings.map(({ code }) => code))];
const MANIFEST = ['--manifest', 'edge.json', '--key', 'keys/manifest.pub'];

test('a boot of the image: nothing is wrong, and only the firmware is unknown', needsTool('swtpm'), async (t) => {
  const dir = tempDir(t);
  const boot = madeImage(dir);
  const verify = await quotedMachine(t, dir, boot);
  const strict = verify(boot, ...MANIFEST, '--json');
  assert.deepEqual(
    [strict.code, answerOf(strict).status, codesOf(strict)],
    [1, 'warning', ['firmware_unknown']],
    strict.stderr,
  );
  assert.deepEqual(answerOf(strict).explanation.manifest, { name: 'edge', version: '1.4.0', isVerified: true });
  const accepted = verify(boot, ...MANIFEST, '--accept-warnings');
  assert.deepEqual([accepted.code, accepted.stdout.startsWith('warning: ')], [0, true], accepted.stdout);
  // The log of somewhere else, the state of Secure Boot, another challenge, a manifest that another signed, none.
  assert.deepEqual(codesOf(verify(boot.slice(0, -1), ...MANIFEST, '--accept-warnings', '--json')), ['pcr_mismatch']);
  assert.equal(
    verify(boot, ...MANIFEST, '--secure-boot', 'on', '--accept-warnings').code,
    3,
    'no such boot is in the manifest',
  );
  assert.deepEqual(codesOf(verify(boot, ...MANIFEST, '--nonce', '00', '--json')), ['quote_nonce']);
  assert.equal(verify(boot, '--manifest', 'edge.json', '--key', 'keys/verity.crt').code, 3);
  assert.equal(verify(boot, '--key', 'keys/manifest.pub').code, 2);
  const unsigned = verify(boot, '--manifest', 'edge.json', '--json');
  assert.deepEqual([unsigned.code, answerOf(unsigned).explanation.manifest.isVerified], [1, false]);
});

test(
  'another program in PCR 4 is a contradiction, whatever is accepted, and is named',
  needsTool('swtpm'),
  async (t) => {
    const dir = tempDir(t);
    const boot = madeImage(dir);
    const program: MadeEvent = {
      pcr: 4,
      digest: sha256(SEPARATOR.subarray(1)),
      type: 'EV_EFI_BOOT_SERVICES_APPLICATION',
      data: new Uint8Array(),
    };
    // Started before the UKI, which is the last that firmware starts.
    const at = boot.findLastIndex(({ pcr }) => pcr === 4);
    const infected = [...boot.slice(0, at), program, ...boot.slice(at)];
    const verify = await quotedMachine(t, dir, infected);
    const hidden = verify(boot, ...MANIFEST, '--accept-warnings', '--json');
    assert.deepEqual([hidden.code, codesOf(hidden)], [1, ['pcr_mismatch']]);
    const shown = verify(infected, ...MANIFEST, '--accept-warnings');
    assert.equal(shown.code, 1, shown.stdout);
    assert.match(shown.stdout, /^contraindicated: /);
    assert.match(shown.stdout, /error: event_unexpected PCR 4/);
    assert.match(shown.stdout, /! PCR {2}4 [0-9a-f]{16} {2}unexpected: /);
  },
);
