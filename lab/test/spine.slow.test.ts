// SPDX-License-Identifier: Apache-2.0
// The product's whole way on a thin line: build, predict, boot with Secure Boot and a TPM, quote, verdict; and the refusal of
// copies that were tampered with. Each boot is emulated and takes half a minute or more; the good one serves many tests.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { copyFileSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { appraiseBoot, type BootEvidence, learnFirmware } from '@vouchsafe/appraise';
import { parseHex, toHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import {
  type BootResult,
  bootDisk,
  buildLabImage,
  buildLabUki,
  type LabImage,
  readVariableStore,
  runVouchsafe,
  writeLabDisk,
} from '@vouchsafe/lab';
import { type PredictedEvent, replayPredicted } from '@vouchsafe/manifest';
import { predictBootAttempt, predictPartitionTable, predictSecureBoot, predictUki } from '@vouchsafe/measure';
import { liveVariables, openPe, readSmallSection } from '@vouchsafe/pe';
import { type Certificate, decodeCertificates } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import {
  checkAttestationKey,
  decodePublic,
  importSigningKey,
  type PcrValue,
  type QuoteExpectation,
} from '@vouchsafe/tpm';

const BANK = 'sha256';
const NONCE = '00112233445566778899aabbccddeeff';
const QUOTED = Array.from({ length: 16 }, (_, pcr) => pcr);
const PREDICTED = [4, 5, 7, 9, 11];
const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');

/** Written down before any machine is started, from the image and the variable store alone. */
function predict(image: LabImage): PredictedEvent[] {
  const banks = [BANK] as const;
  const variables = liveVariables(readVariableStore(image.firmwareVariables));
  const [db] = decodeCertificates(readFileSync(join(image.keys, 'db.crt')));
  return [
    ...predictBootAttempt(banks),
    ...predictUki(banks, openPe(memorySource(image.uki, 'UKI')), { isSecureBootOn: true }),
    ...predictSecureBoot(banks, { isOn: true, variables, authority: (db as Certificate).bytes }),
    ...predictPartitionTable(banks, image.table),
  ];
}

function fileOf({ results, serial }: BootResult, name: string): Uint8Array {
  const file = results.get(name);
  assert.ok(file, `the guest handed out no ${name}:\n${serial}`);
  return file;
}

/** Values as the guest read them: "sha256 4 hex" lines. */
function pcrValues(boot: BootResult): PcrValue[] {
  const lines = Buffer.from(fileOf(boot, 'pcrs')).toString('latin1').trim().split('\n');
  return lines
    .map((line) => line.split(' ') as [string, string, string])
    .filter(([bank, pcr]) => bank === BANK && QUOTED.includes(Number(pcr)))
    .map(([, pcr, value]) => ({ bank: BANK, pcr: Number(pcr), value: parseHex(value.toLowerCase()) }));
}

/** Of `pcr predict --json`, and of a .pcrsig. */
interface Prediction {
  readonly phases: readonly { readonly phase: string; readonly pcrs: { readonly sha256: Record<string, string> } }[];
}
interface Policies {
  readonly sha256: readonly { readonly pol: string; readonly sig: string }[];
}

/** PCR 11 after each phase, and the policy that the TPM computed for it: "phase value policy" lines. */
function phasesOf(boot: BootResult): { phase: string; value: string; policy: string }[] {
  const lines = Buffer.from(fileOf(boot, 'phases')).toString('latin1').trim().split('\n');
  return lines.map((line) => {
    const [phase = '', value = '', policy = ''] = line.split(' ');
    return { phase, value: value.toLowerCase(), policy };
  });
}

function evidenceOf(boot: BootResult): BootEvidence {
  const quote = {
    attest: fileOf(boot, 'quote.attest'),
    signature: fileOf(boot, 'quote.signature'),
    pcrs: pcrValues(boot),
  };
  return { quote, firmwareLog: fileOf(boot, 'firmware.log') };
}

function expectationOf(boot: BootResult, nonce = NONCE): QuoteExpectation {
  const area = decodePublic(fileOf(boot, 'ak.pub'));
  assert.deepEqual(checkAttestationKey(area.value), []);
  return { key: importSigningKey(area.value), selection: [{ bank: BANK, pcrs: QUOTED }], nonce: parseHex(nonce) };
}

/** Changes one byte of a copy of the disk. */
function tamper(image: LabImage, to: string, offset: number): string {
  copyFileSync(image.disk, to);
  const fd = openSync(to, 'r+');
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, offset);
  writeSync(fd, Uint8Array.of((byte[0] as number) ^ 1), 0, 1, offset);
  return to;
}

describe('build, predict, boot, quote, verdict', tools, () => {
  let image: LabImage;
  let predicted: PredictedEvent[];
  let good: BootResult;
  const cleanups: (() => void)[] = [];
  const dir = (): string => tempDir({ after: (fn) => void cleanups.push(fn as () => void) });

  before(async () => {
    if (tools.skip !== undefined) return;
    image = await buildLabImage(dir(), NONCE);
    predicted = predict(image);
    good = await bootDisk({ ...image, orders: [': >/run/phases'] });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('the disk keeps what it promises, as far as that can be told without booting it', () => {
    runVouchsafe('image', 'verify', image.disk, '--db', join(image.keys, 'db.crt'));
  });

  test('the machine boots from the verity root and reports', () => {
    assert.equal(good.outcome, 'reported', good.serial);
    assert.match(good.serial, /vouchsafe-initrd: root verified/);
  });

  test('the predicted PCRs are the real ones', () => {
    const values = replayPredicted(BANK, predicted);
    const real = new Map(pcrValues(good).map(({ pcr, value }) => [pcr, toHex(value)]));
    const shown = (pcr: number) => [pcr, toHex(values.get(pcr) ?? new Uint8Array(0))];
    assert.deepEqual(
      PREDICTED.map(shown),
      PREDICTED.map((pcr) => [pcr, real.get(pcr)]),
    );
  });

  test('pcr predict says what the TPM holds, and what it will hold in each phase', () => {
    const said = JSON.parse(
      runVouchsafe('pcr', 'predict', image.ukiPath, '--secure-boot', 'on', '--json'),
    ) as Prediction;
    const [first, ...later] = said.phases;
    const real = new Map(pcrValues(good).map(({ pcr, value }) => [`${pcr}`, toHex(value)]));
    assert.deepEqual(first?.phase, '');
    const pcrs = Object.entries(first?.pcrs.sha256 ?? {});
    for (const pcr of ['4', '9', '11', '12', '13'])
      assert.ok(
        pcrs.some(([name]) => name === pcr),
        `PCR ${pcr}`,
      );
    for (const [pcr, value] of pcrs) assert.equal(value, real.get(pcr), `PCR ${pcr}`);
    assert.deepEqual(
      later.map(({ phase, pcrs: { sha256 } }) => [phase, sha256[11]]),
      phasesOf(good).map(({ phase, value }) => [phase, value]),
    );
  });

  test('.pcrsig holds the policies that this TPM computes in each phase, signed by the key in .pcrpkey', () => {
    const pe = openPe(memorySource(image.uki));
    const signed = JSON.parse(Buffer.from(readSmallSection(pe, '.pcrsig') ?? []).toString()) as Policies;
    const key = readFileSync(join(image.keys, 'pcr.pub'));
    assert.deepEqual(Buffer.from(readSmallSection(pe, '.pcrpkey') ?? []), key);
    assert.deepEqual(
      signed.sha256.map(({ pol }) => pol),
      phasesOf(good).map(({ policy }) => policy),
    );
    for (const { pol, sig } of signed.sha256) {
      assert.ok(verify('sha256', Buffer.from(pol, 'hex'), key, Buffer.from(sig, 'base64')), pol);
    }
  });

  test('each event of the image is expected and none besides; firmware and IMA are unknown', () => {
    const verdict = appraiseBoot(evidenceOf(good), expectationOf(good), { bank: BANK, events: predicted });
    assert.deepEqual([...new Set(verdict.findings.map(({ code }) => code))], ['firmware_unknown', 'ima_unappraised']);
    assert.equal(verdict.status, 'warning');
    const judged = verdict.events.filter(({ pcr }) => PREDICTED.includes(pcr));
    assert.equal(judged.length, predicted.length);
    assert.ok(judged.every(({ judgement }) => judgement === 'expected'));
  });

  test('with a baseline of the firmware only IMA is left: with Secure Boot on the kernel measures each module', () => {
    const [evidence, expected] = [evidenceOf(good), expectationOf(good)];
    const first = appraiseBoot(evidence, expected, { bank: BANK, events: predicted });
    const baseline = learnFirmware(first, evidence.firmwareLog, BANK);
    const verdict = appraiseBoot(evidence, expected, { bank: BANK, events: [...predicted, ...baseline] });
    assert.deepEqual([verdict.status, verdict.findings.map(({ code }) => code)], ['warning', ['ima_unappraised']]);
    assert.ok(verdict.events.every(({ judgement }) => judgement === 'expected'));
  });

  test('quote verify says the same of files: by the manifest of the disk, and not by that of one with a credential', () => {
    const folder = dir();
    const at = (name: string): string => join(folder, name);
    for (const name of ['quote.attest', 'quote.signature', 'ak.pub', 'firmware.log'])
      writeFileSync(at(name), fileOf(good, name));
    writeFileSync(
      at('pcrs'),
      pcrValues(good)
        .map(({ pcr, value }) => `${BANK}:${pcr}:${toHex(value)}\n`)
        .join(''),
    );
    const key = ['--manifest-private-key', join(image.keys, 'manifest.key')];
    const predictTo = (name: string, file: string, ...more: string[]) =>
      runVouchsafe(
        ...['pcr', 'predict', file, '--vars', image.firmwareVariables, '--name', 'lab', '--image-version', '1'],
        ...['--manifest', at(name), ...key, ...more],
      );
    predictTo('good.json', image.disk);
    mkdirSync(at('extra'));
    writeFileSync(at('extra/a.cred'), 'not in this boot');
    predictTo('other.json', image.ukiPath, '--extra', at('extra'));
    const check = (manifest: string) =>
      runVouchsafe(
        ...[
          'quote',
          'verify',
          '--ak',
          at('ak.pub'),
          '--attest',
          at('quote.attest'),
          '--signature',
          at('quote.signature'),
        ],
        ...['--pcrs', at('pcrs'), '--nonce', NONCE, '--log', at('firmware.log'), '--manifest', at(manifest)],
        ...['--key', join(image.keys, 'manifest.pub'), '--accept-warnings', '--json'],
      );
    const said = JSON.parse(check('good.json')) as { status: string; findings: { code: string }[] };
    assert.equal(said.status, 'warning');
    assert.deepEqual([...new Set(said.findings.map(({ code }) => code))], ['firmware_unknown', 'ima_unappraised']);
    assert.throws(() => check('other.json'), { code: 'tool_failed' });
  });

  test('a quote that leaves out what the image decides affirms nothing', () => {
    const expected = expectationOf(good);
    const verdict = appraiseBoot(
      evidenceOf(good),
      { ...expected, selection: [{ bank: BANK, pcrs: [0] }] },
      { bank: BANK, events: predicted },
    );
    assert.deepEqual([verdict.status, verdict.findings[0]?.code], ['contraindicated', 'quote_selection']);
  });

  test('the same evidence for another challenge is refused', () => {
    const verdict = appraiseBoot(evidenceOf(good), expectationOf(good, 'ff'.repeat(16)), {
      bank: BANK,
      events: predicted,
    });
    assert.equal(verdict.status, 'contraindicated');
    assert.equal(verdict.findings[0]?.code, 'quote_nonce');
  });

  test('a log with one event changed, or cut short, is refused', () => {
    const { quote, firmwareLog } = evidenceOf(good);
    const changed = firmwareLog.slice();
    const at = Buffer.from(changed).indexOf(
      Buffer.from(predicted.find(({ pcr }) => pcr === 11)?.digests.get(BANK) ?? []),
    );
    assert.ok(at > 0);
    changed[at] = (changed[at] as number) ^ 1;
    const reference = { bank: BANK, events: predicted } as const;
    const verdict = appraiseBoot({ quote, firmwareLog: changed }, expectationOf(good), reference);
    assert.deepEqual([verdict.status, verdict.findings[0]?.code], ['contraindicated', 'pcr_mismatch']);
    const cut = appraiseBoot({ quote, firmwareLog: firmwareLog.subarray(0, -1) }, expectationOf(good), reference);
    assert.deepEqual([cut.status, cut.findings[0]?.code], ['contraindicated', 'log_malformed']);
  });

  test('another image than the one that was booted is named by its parts', () => {
    const events = predicted.map((event): PredictedEvent => {
      if (event.origin.section !== '.initrd') return event;
      return { ...event, digests: new Map([[BANK, new Uint8Array(32)]]) };
    });
    const verdict = appraiseBoot(evidenceOf(good), expectationOf(good), { bank: BANK, events });
    assert.equal(verdict.status, 'contraindicated');
    const missing = verdict.findings.filter(({ code }) => code === 'event_missing');
    assert.ok(missing.some(({ where }) => where.pcr === 11 && where.path === '.initrd'));
  });

  test('an image with one byte changed, one that is not signed and one signed with another key are refused', async () => {
    const folder = dir();
    const paths = ['changed', 'unsigned', 'foreign'].map((name) => join(folder, `${name}.efi`)) as [
      string,
      string,
      string,
    ];
    const changed = image.uki.slice();
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] as number) ^ 1;
    writeFileSync(paths[0], changed);
    buildLabUki(paths[1], image.ukiInputs);
    const foreignKeys = join(folder, 'foreign');
    runVouchsafe('keys', 'generate', foreignKeys);
    buildLabUki(paths[2], image.ukiInputs, foreignKeys);
    // All three on one machine: firmware goes from disk to disk.
    const disks: string[] = [];
    for (const [i, path] of paths.entries()) {
      assert.throws(() => runVouchsafe('uki', 'verify', path, '--db', join(image.keys, 'db.crt')), {
        code: 'tool_failed',
      });
      const made = join(folder, `${i}.img`);
      await writeLabDisk(made, readFileSync(path), image.root);
      disks.push(made);
    }
    const [disk, ...furtherDisks] = disks;
    const boot = await bootDisk({ ...image, disk: disk as string, furtherDisks });
    assert.equal(boot.outcome, 'refused_by_firmware', boot.serial);
    const refused = [...boot.serial.matchAll(/failed to load \S+ .*? from (\S+): Access Denied/g)].map(
      ([, path]) => path,
    );
    assert.equal(new Set(refused).size, 3, boot.serial);
    assert.equal(boot.results.size, 0);
  });

  test('a root with one byte changed is refused by the kernel or the initrd', async () => {
    // In the file system's superblock, which is the first thing that is read.
    const disk = tamper(image, join(dir(), 'tampered.img'), image.rootOffset + 1024 + 40);
    assert.throws(() => runVouchsafe('image', 'verify', disk), { code: 'tool_failed' });
    const boot = await bootDisk({ ...image, disk });
    assert.ok(['refused_by_kernel', 'refused_by_initrd'].includes(boot.outcome), boot.serial);
    assert.equal(boot.results.size, 0);
    rmSync(disk);
  });
});
