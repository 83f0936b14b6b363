// SPDX-License-Identifier: Apache-2.0
// A machine that was trusted, and what it is told after each thing that was done to it: its image's time is over, and every case of
// the lab's tampering after which a machine boots and its log tells; and another machine that comes with its name and its agent's state.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BootResult, machineVariables, type TamperCaseName, tamperedCopy } from '@vouchsafe/lab';
import { decodeCertificates, decodeCrl } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { codesOf, openScene, printed, type Scene, textOf } from './attest-scene.ts';
import { type Answer, bodyOf } from './served-service.ts';

const tools = needsTool(
  ...['qemu-system-x86_64', 'swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool', 'dmsetup', 'busybox', 'dpkg'],
);
const DEVICE = 'edge-1';
const LOADER = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi';
/** TPM2_PCR_Extend of PCR 4 with a digest in SHA-256. TPM 2.0 Library, Part 3, section 22.2; Part 1, "Password Authorizations". */
const PCR_EXTEND = `8002 00000041 00000182 00000004 00000009 40000009 0000 00 0000 00000001 000b ${'5a'.repeat(32)}`;
const octal = (octet: number): string => `\\${octet.toString(8).padStart(3, '0')}`;
/** The lab's case late-extend, in a root without tpm2-tools. */
const LATE_EXTEND = `printf '${[...Buffer.from(PCR_EXTEND.replaceAll(' ', ''), 'hex')].map(octal).join('')}' >/dev/tpmrm0`;
const attest = (name: string): string => `agent attest --json >${name}.json; echo $? >${name}.status`;

describe('a machine that was trusted', tools, () => {
  const cleanups: (() => void)[] = [];
  let scene: Scene;
  /** The service's answer to evidence that another machine, itself trusted, had made. */
  let relayed: Answer | undefined;
  let [first, besideImage, withEntry, newRoot, another]: (BootResult | undefined)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    scene = await openScene(dir);
    const { operate } = scene;
    const image = scene.buildImage('1.2.0', { more: [`loader: ${LOADER}`] });
    const [{ sha256: reference }] = await operate('reference', 'add', image.manifest, '--activate');
    const token = async (): Promise<string> => (await operate('token', 'create', '--device', DEVICE)).text;
    first = await scene.boot({
      image,
      request: { credentials: { 'vouchsafe.token': await token() } },
      script: [
        'agent enroll @/run/credentials/vouchsafe.token --json >enroll.json',
        attest('unknown'),
        'step approve',
        attest('good'),
        'step floor',
        attest('older'),
        'step retire',
        attest('retired'),
      ],
      steps: {
        approve: async () => {
          const { sha256 } = await operate('baseline', 'learn', DEVICE);
          await operate('baseline', 'approve', sha256);
          return '';
        },
        floor: async () => {
          await operate('reference', 'floor', 'edge', '1.3.0');
          return '';
        },
        retire: async () => {
          await operate('reference', 'floor', 'edge', '1.0.0');
          await operate('reference', 'retire', reference, '--at', '2026-01-01T00:00:00Z');
          return '';
        },
      },
    });
    await operate('reference', 'activate', reference);
    const tampered = async (cases: readonly TamperCaseName[]) => {
      const disk = join(dir, `${cases[0]}.raw`);
      await tamperedCopy(cases, image.disk, disk, { keys: join(dir, 'keys') });
      return { ...image, disk };
    };
    const kept = textOf(first, 'state.json');
    besideImage = await scene.boot({
      image: await tampered(['credential', 'sysext', 'gpt-entry', 'addon']),
      kept,
      script: [attest('attest'), LATE_EXTEND, attest('extended')],
    });
    const isOff = { firmwareVariables: join(dir, 'off.fd') };
    writeFileSync(isOff.firmwareVariables, machineVariables(join(dir, 'keys'), 'off'));
    withEntry = await scene.boot({
      image: await tampered(['loader-entry', 'unsigned']),
      ...{ kept: textOf(besideImage, 'state.json'), request: isOff, script: [attest('attest')] },
    });
    newRoot = await scene.boot({
      image: await tampered(['new-root']),
      ...{ kept: textOf(withEntry, 'state.json'), request: isOff, script: [attest('attest')] },
    });
    another = await scene.boot({
      ...{ image, kept },
      request: { tpmState: await scene.manufacture('edge-2'), credentials: { 'vouchsafe.token': await token() } },
      script: [
        attest('attest'),
        'rm /run/vouchsafe/*',
        'agent enroll @/run/credentials/vouchsafe.token --json >enroll.json; echo $? >enroll.status',
        // Under a name of its own it may join: and then prove what it booted in the name of the first.
        'rm /run/vouchsafe/*; step token >/run/token; agent enroll - --json </run/token >own.json',
        attest('own-attest'),
        'step relay',
      ],
      steps: {
        token: async () => (await operate('token', 'create', '--device', 'edge-2')).text,
        relay: async () => {
          const kept = await scene.server.service.store.read.details.evidence('edge-2');
          const body = JSON.parse(kept?.body ?? '{}');
          relayed = await scene.call('POST', `/v1/devices/${DEVICE}/evidence`, { body });
          return '';
        },
      },
    });
  });
  after(async () => {
    await scene?.close();
    for (const cleanup of cleanups) cleanup();
  });

  const bootOf = (boot: BootResult | undefined): BootResult => {
    assert.ok(boot);
    return boot;
  };
  /** The verdict on an attestation, which had no certificate with it. */
  const refusalOf = (boot: BootResult | undefined, name = 'attest') => {
    const { verdict, certificate } = printed(bootOf(boot), `${name}.json`);
    assert.deepEqual([verdict.isTrusted, certificate], [false, undefined]);
    assert.equal(textOf(bootOf(boot), `${name}.status`).trim(), '1');
    return verdict;
  };

  test('an image below the version floor, then one whose time is over: refused, and its certificate is revoked', async () => {
    assert.equal(printed(bootOf(first), 'good.json').verdict.isTrusted, true);
    assert.ok(codesOf(refusalOf(first, 'older')).includes('image_below_floor'));
    assert.ok(codesOf(refusalOf(first, 'retired')).includes('image_retired'));
    const [certificate] = decodeCertificates(bootOf(first).results.get('client.crt') ?? new Uint8Array());
    const { bytes } = await scene.call('GET', '/v1/crl');
    const serials = decodeCrl(Uint8Array.from(bytes)).revoked.map(({ serialNumber }) => serialNumber);
    assert.ok(serials.includes(certificate?.serialNumber ?? 0n));
  });

  /** PCRs with an event that the image does not put there. */
  const unexpectedIn = (boot: BootResult | undefined): number[] => {
    const { status, findings } = refusalOf(boot);
    assert.equal(status, 'contraindicated');
    const found = findings.filter(({ code }: { code: string }) => code === 'event_unexpected');
    const pcrs: number[] = found.map(({ where }: { where: { pcr: number } }) => where.pcr);
    return [...new Set(pcrs)].sort((a, b) => a - b);
  };

  test('a credential, an extension and an addon beside the image, and a partition table that was changed', () => {
    // The credential, the extension, and the initrd that the kernel got with them. Stub 252 does not look at addons.
    assert.deepEqual(unexpectedIn(besideImage), [5, 9, 12, 13]);
  });

  test('what root extends later: the log no longer gives what the TPM holds', () => {
    const { findings } = refusalOf(besideImage, 'extended');
    const differ = findings.filter(({ code }: { code: string }) => code === 'pcr_mismatch');
    assert.deepEqual(
      differ.map(({ where }: { where: { pcr: number } }) => where.pcr),
      [4],
      JSON.stringify(findings, null, 1),
    );
  });

  test('without Secure Boot: a boot entry with another command line, and a UKI without its signature', () => {
    assert.ok(codesOf(refusalOf(withEntry)).includes('secure_boot_off'));
    // The text that stands in for the UKI's own, and what the kernel was given.
    assert.deepEqual(unexpectedIn(withEntry), [9, 12]);
  });

  test('without Secure Boot: data, tree, root hash and partition table of somebody else, which fit together', () => {
    assert.ok(codesOf(refusalOf(newRoot)).includes('secure_boot_off'));
    const pcrs = unexpectedIn(newRoot);
    for (const pcr of [4, 5, 11]) assert.ok(pcrs.includes(pcr), `${pcrs}`);
  });

  test('another TPM under the same name: neither the state of the first nor a token for the name lets it in', () => {
    const boot = bootOf(another);
    assert.equal(printed(boot, 'attest.json').error.code, 'tpm_changed');
    const { error } = printed(boot, 'enroll.json');
    assert.equal(error.code, 'server_refused', JSON.stringify(error));
    assert.notEqual(textOf(boot, 'enroll.status').trim(), '0');
  });

  test('evidence of a machine that is trusted, relayed under the name of the first: a challenge is for one machine', () => {
    assert.equal(printed(bootOf(another), 'own-attest.json').verdict.isTrusted, true);
    assert.equal(bodyOf(relayed ?? assert.fail('nothing was relayed')).code, 'challenge_invalid');
  });
});
