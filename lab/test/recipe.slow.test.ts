// SPDX-License-Identifier: Apache-2.0
// From a recipe to a booted machine: the manifest, written before the machine starts, says what its TPM holds.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { decodeImaBinaryLog, decodeImaEntry } from '@vouchsafe/eventlog';
import { buildRecipeImage, type RecipeImage, runVouchsafe, writeGuestRoot } from '@vouchsafe/lab';
import { verifyFileList } from '@vouchsafe/manifest';
import { needsTool, tempDir } from '@vouchsafe/testing';

const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');
const NONCE = '00112233445566778899aabbccddeeff';

/** Of `lab boot --json`, as far as it is looked at here. */
interface Booted {
  readonly outcome: string;
  readonly results: readonly string[];
  readonly time: { readonly upAfterMs: number; readonly budgetMs: number; readonly isWithin: boolean };
  readonly log: {
    readonly isAsExpected: boolean;
    readonly manifest: { readonly version: string; readonly isVerified: boolean };
    readonly events: readonly { readonly judgement: string }[];
  };
}

describe('a recipe, built and booted by the command', tools, () => {
  let image: RecipeImage;
  let booted: Booted;
  let results: string;
  const cleanups: (() => void)[] = [];

  before(() => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const keys = join(dir, 'keys');
    results = join(dir, 'results');
    runVouchsafe('keys', 'generate', keys);
    image = buildRecipeImage(dir, keys, {
      root: `{ folder: ${writeGuestRoot(join(dir, 'root'))}, compression: lz4 }`,
      ima: '{ policy: tcb }',
      // Longer than the lab waits.
      budgets: '{ boot: 10min }',
      // The kernel's policy leaves out what is on tmpfs, where it would unpack the initrd otherwise.
      'command-line': `console=ttyS0 panic=-1 quiet rootfstype=ramfs vouchsafe.nonce=${NONCE}`,
    });
    const said = runVouchsafe(
      ...['lab', 'boot', image.disk, '--keys', keys, '--manifest', image.manifestPath],
      ...['--key', join(keys, 'manifest.pub'), '--results', results, '--json'],
    );
    booted = JSON.parse(said) as Booted;
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('the machine boots under Secure Boot and reports; every event that the image decides is expected', () => {
    assert.equal(booted.outcome, 'reported');
    assert.ok(booted.log.isAsExpected);
    assert.deepEqual(booted.log.manifest, { name: 'lab', version: '1.2.3', isVerified: true });
    assert.ok(booted.log.events.filter(({ judgement }) => judgement === 'expected').length > 15);
  });

  test('the time to the end of boot is held to the budget of the manifest', () => {
    const { upAfterMs, budgetMs, isWithin } = booted.time;
    assert.deepEqual([budgetMs, isWithin], [600_000, true]);
    assert.ok(upAfterMs > 0);
  });

  test('every PCR of the manifest is the machine’s', () => {
    const real = new Map(
      readFileSync(join(results, 'pcrs'), 'latin1')
        .trim()
        .split('\n')
        .map((line) => {
          const [bank, pcr, value = ''] = line.split(' ');
          return [`${bank} ${pcr}`, value.toLowerCase()] as const;
        }),
    );
    const on = image.manifest.boots.find(({ condition }) => condition.secureBoot === 'on');
    // Which is when the root's init runs.
    const predicted = on?.phases.find(({ phase }) => phase === 'enter-initrd:leave-initrd')?.pcrs.sha256 ?? {};
    assert.equal(Object.keys(predicted).length, 8);
    assert.deepEqual(on?.covers, [4, 5, 7, 9, 11, 12, 13, 14]);
    for (const [pcr, value] of Object.entries(predicted)) assert.equal(real.get(`sha256 ${pcr}`), value, `PCR ${pcr}`);
  });

  test('each file that the kernel measured is in the lists beside the manifest, by path and digest', () => {
    const { manifest } = image;
    assert.deepEqual(manifest.ima, { policies: ['tcb'], template: 'ima-ng', hash: 'sha256' });
    const listed = new Map<string, Set<string>>();
    for (const part of manifest.parts.filter(({ kind }) => kind === 'files')) {
      const bytes = readFileSync(join(dirname(image.manifestPath), part.path));
      for (const { path, sha256 } of verifyFileList(part, bytes).files) {
        listed.set(path, (listed.get(path) ?? new Set()).add(sha256));
      }
    }
    const { events } = decodeImaBinaryLog(readFileSync(join(results, 'ima.log')));
    const files = events.map(decodeImaEntry).flatMap((entry) => (entry.kind === 'file' ? [entry.file] : []));
    // The other one is boot_aggregate, of PCRs.
    const measured = files.filter(({ path }) => path.startsWith('/'));
    const unlisted = measured.filter(({ path, digest }) => listed.get(path)?.has(toHex(digest)) !== true);
    assert.deepEqual(
      unlisted.map(({ path }) => path),
      [],
    );
    for (const path of ['/init', '/bin/busybox', '/modules/erofs.ko', '/sbin/init']) {
      assert.ok(
        measured.some((file) => file.path === path),
        `${path} was measured`,
      );
    }
  });
});
