// SPDX-License-Identifier: Apache-2.0
// A machine that measures files: built from a recipe, booted, and appraised by its manifest and the lists of its files. With
// UPDATE=1 the evidence is written to packages/appraise/testdata, where tests that boot nothing take it from.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  appraise,
  type EvidenceBundle,
  encodeBundle,
  inputOf,
  learnBaseline,
  parseBundle,
  preparePolicy,
  prepareReferences,
  STRICT_POLICY,
  UNKNOWN_IDENTITY,
  type Verdict,
} from '@vouchsafe/appraise';
import { loadCedar } from '@vouchsafe/appraise/node';
import { parseHex } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import {
  type BootResult,
  bootDisk,
  debianCloudKernel,
  FIRMWARE_VARIABLES,
  guestRoot,
  runVouchsafe,
} from '@vouchsafe/lab';
import { type FileList, type VerifiedManifest, verifyFileList, verifyManifest } from '@vouchsafe/manifest';
import { parsePem } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { decodePublic, type PcrValue, spkiOf } from '@vouchsafe/tpm';

const tools = needsTool('qemu-system-x86_64', 'swtpm', 'tpm2', 'dmsetup', 'busybox', 'dpkg');
const NONCE = '00112233445566778899aabbccddeeff';
const RECORDED = fileURLToPath(new URL('../../packages/appraise/testdata/boot-with-ima.json', import.meta.url));
const AT_MS = Date.UTC(2026, 10, 30);
const QUOTED = Array.from({ length: 16 }, (_, pcr) => pcr);

/** The guest's tree as a folder. */
function writeTree(folder: string): void {
  for (const entry of [...guestRoot()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const path = join(folder, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if (entry.kind === 'directory') mkdirSync(path, { recursive: true });
    else if (entry.kind === 'symlink') symlinkSync(entry.target, path);
    else if (entry.kind === 'file') {
      writeFileSync(path, readBytes(entry.content, 0, entry.content.size), { mode: entry.mode });
    }
  }
}

function fileOf({ results, serial }: BootResult, name: string): Uint8Array {
  const file = results.get(name);
  assert.ok(file, `the guest handed out no ${name}:\n${serial}`);
  return Uint8Array.from(file);
}

/** Values as the guest read them: "sha256 4 hex" lines. */
function pcrValues(boot: BootResult): PcrValue[] {
  const lines = Buffer.from(fileOf(boot, 'pcrs')).toString('latin1').trim().split('\n');
  return lines
    .map((line) => line.split(' ') as [string, string, string])
    .filter(([bank, pcr]) => bank === 'sha256' && QUOTED.includes(Number(pcr)))
    .map(([, pcr, value]) => ({ bank: 'sha256', pcr: Number(pcr), value: parseHex(value.toLowerCase()) }));
}

const codesOf = ({ findings }: Verdict): string[] => [...new Set(findings.map(({ code }) => code))];

describe('a machine that measures files', tools, () => {
  let bundle: EvidenceBundle;
  const cleanups: (() => void)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const kernel = debianCloudKernel();
    writeTree(join(dir, 'root'));
    const keys = join(dir, 'keys');
    const variables = join(dir, 'variables.fd');
    runVouchsafe('keys', 'generate', keys);
    runVouchsafe('keys', 'enroll', keys, '--vars', FIRMWARE_VARIABLES, '-o', variables);
    const commandLine = 'console=ttyS0 panic=-1 quiet ima_policy=tcb ima_policy=critical_data ima_template=ima-sig';
    const lines = [
      'name: lab',
      'version: 1.2.3',
      'root: { folder: root }',
      `kernel: { folder: ${join(kernel.modulesRoot, '../../..')} }`,
      `command-line: ${commandLine} vouchsafe.nonce=${NONCE}`,
      'keys: keys',
      '',
    ];
    writeFileSync(join(dir, 'recipe.yaml'), lines.join('\n'));
    runVouchsafe('image', 'build', join(dir, 'recipe.yaml'), '-o', join(dir, 'out'));
    const [key] = parsePem(readFileSync(join(keys, 'manifest.pub')), 'PUBLIC KEY');
    assert.ok(key);
    const manifest = verifyManifest(readFileSync(join(dir, 'out', 'lab_1.2.3.manifest.json')), [key.bytes]);
    const boot = await bootDisk({ disk: join(dir, 'out', 'lab_1.2.3.raw'), firmwareVariables: variables });
    assert.equal(boot.outcome, 'reported', boot.serial);
    bundle = bundleOf(boot, manifest, fileListsOf(manifest, join(dir, 'out')));
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  async function verdictOn(of: EvidenceBundle): Promise<Verdict> {
    const policy = preparePolicy(loadCedar(), 'strict', STRICT_POLICY);
    return appraise({ ...inputOf(of), references: prepareReferences(of.references), policy });
  }

  test('its files are the image’s; strict, it wants to know the firmware, and is affirmed once that is approved', async () => {
    const first = await verdictOn(bundle);
    // The made initrd extends its phases, and no log of systemd's tells of them.
    const codes = ['phase_unlogged', 'firmware_unknown', 'policy_denied'];
    assert.deepEqual(codesOf(first), codes, JSON.stringify(first.findings, null, 1));
    assert.ok(first.facts.runtime.isAppraised && first.facts.runtime.isAggregateGood);
    assert.ok(
      first.facts.runtime.entries > 1 && first.facts.runtime.verityDevices === 1,
      JSON.stringify(first.facts.runtime),
    );
    const { bytes } = bundle.evidence.logs.firmware;
    const baseline = learnBaseline(first, bytes as Uint8Array, { name: 'QEMU OVMF' });
    assert.ok(baseline);
    const approved = { ...bundle, references: { ...bundle.references, baselines: [baseline] } };
    const second = await verdictOn(approved);
    assert.deepEqual([second.status, codesOf(second)], ['affirming', ['phase_unlogged']]);
    if (process.env['UPDATE'] === '1') writeFileSync(RECORDED, encodeBundle(approved));
  });

  test('the bundle that a file keeps comes to the same', async () => {
    assert.deepEqual(await verdictOn(parseBundle(encodeBundle(bundle))), await verdictOn(bundle));
  });
});

function fileListsOf({ manifest }: VerifiedManifest, folder: string): FileList[] {
  return manifest.parts
    .filter(({ kind }) => kind === 'files')
    .map((part) => verifyFileList(part, Uint8Array.from(readFileSync(join(folder, part.path)))));
}

function bundleOf(boot: BootResult, manifest: VerifiedManifest, fileLists: readonly FileList[]): EvidenceBundle {
  const log = fileOf(boot, 'firmware.log');
  return {
    atMs: AT_MS,
    evidence: {
      quote: {
        attest: fileOf(boot, 'quote.attest'),
        signature: fileOf(boot, 'quote.signature'),
        pcrs: pcrValues(boot),
      },
      logs: {
        firmware: { sha256: createHash('sha256').update(log).digest('hex'), bytes: log },
        ima: { offset: 0, bytes: fileOf(boot, 'ima.log') },
      },
    },
    expected: {
      key: spkiOf(decodePublic(fileOf(boot, 'ak.pub')).value),
      selection: [{ bank: 'sha256', pcrs: QUOTED }],
      nonce: parseHex(NONCE),
    },
    identity: { ...UNKNOWN_IDENTITY, isEkTrusted: true, joinedBy: 'token' },
    references: { images: [{ manifest, life: { state: 'active' }, fileLists }] },
  };
}
