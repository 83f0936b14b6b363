// SPDX-License-Identifier: Apache-2.0
// What later tests and the demo rest on: one TPM over two boots, with a maker's certificates; a guest that reaches a server on
// the host's loopback; orders to a guest; several machines at a time; machines that are stopped.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decode } from '@vouchsafe/codec';
import { buildTrustStore, checkEndorsementKey } from '@vouchsafe/identity';
import {
  type BootResult,
  bootDisk,
  buildLabImage,
  FIRMWARE_VARIABLES,
  findAccelerator,
  GUEST_ADDRESS,
  HOST_ADDRESS,
  type LabImage,
  Machine,
  type ManufacturedTpm,
  manufactureTpm,
} from '@vouchsafe/lab';
import { decodeCertificate, decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { decodePublic, tpmsAttest } from '@vouchsafe/tpm';

const NONCE = '00112233445566778899aabbccddeeff';
const tools = needsTool(
  ...['qemu-system-x86_64', 'swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool', 'tpm2', 'dmsetup', 'busybox', 'dpkg'],
);

function fileOf({ results, serial }: BootResult, name: string): Uint8Array {
  const file = results.get(name);
  assert.ok(file, `the guest handed out no ${name}:\n${serial}`);
  return file;
}
const textOf = (boot: BootResult, name: string): string => Buffer.from(fileOf(boot, name)).toString('utf8');

describe('machines', tools, () => {
  const cleanups: (() => void)[] = [];
  /** What the server was asked, as "METHOD path body". */
  const asked: string[] = [];
  let server: Server;
  let image: LabImage;
  let tpm: ManufacturedTpm;
  let [first, second, stopped]: (BootResult | undefined)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    server = createServer((request, response) => {
      const body: Buffer[] = [];
      request.on('data', (part: Buffer) => void body.push(part));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${Buffer.concat(body).toString('utf8')}`);
        response.end('granted\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://${HOST_ADDRESS}:${(server.address() as AddressInfo).port}/v1/hello`;
    image = await buildLabImage(dir, NONCE);
    tpm = await manufactureTpm(join(dir, 'tpm'), join(dir, 'authority'), 'lab-1');
    const { disk, firmwareVariables } = image;
    // Two at a time, each with its own TPM: one goes its whole way, the other is switched off when firmware starts its image.
    const going = await Machine.start({
      ...{ disk, firmwareVariables, tpmState: tpm.stateDir, tpmInterface: 'crb', network: {} },
      orders: [
        'tpm2_createek -Q -c /run/rsa.ctx -G rsa -u ek-rsa.pub',
        'tpm2_nvread -Q -C o -o ek-rsa.der 0x01c00002',
        `ip addr add ${GUEST_ADDRESS}/24 dev eth0 && ip link set eth0 up`,
        `wget -q -O answer --post-data 'who am I' ${url}`,
        'exit 7',
      ],
    });
    await using cut = await Machine.start({ disk, firmwareVariables });
    await cut.waitForSerial(/BdsDxe: starting /);
    stopped = await cut.stop();
    first = await going.ended;
    second = await bootDisk({
      ...{ disk, firmwareVariables: FIRMWARE_VARIABLES, tpmState: tpm.stateDir },
      // systemd reads it; what matters here is that the machine takes it.
      credentials: { 'vouchsafe.note': 'a, b' },
      orders: ['cat /sys/firmware/dmi/tables/DMI >dmi'],
    });
  });
  after(async () => {
    for (const cleanup of cleanups) cleanup();
    await new Promise((resolve) => server?.close(resolve));
  });

  test('a guest asks a server on the host’s loopback, and gets its answer', () => {
    assert.equal(first?.outcome, 'reported', first?.serial);
    assert.deepEqual(asked, ['POST /v1/hello who am I']);
    assert.equal(textOf(first as BootResult, 'answer'), 'granted\n');
  });

  test('orders are carried out in their order, and each says how it ended', () => {
    const statuses = textOf(first as BootResult, 'orders')
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
    assert.deepEqual(statuses, [0, 0, 0, 0, 7], textOf(first as BootResult, 'orders.output'));
  });

  test('the certificate in the TPM names its endorsement key, and its maker is the local authority', () => {
    const certificate = decodeCertificate(fileOf(first as BootResult, 'ek-rsa.der'), VENDOR_DER);
    const { value: publicArea } = decodePublic(fileOf(first as BootResult, 'ek-rsa.pub'));
    const [root, issuer] = [tpm.authority.root, tpm.authority.issuer].map(
      (path) => decodeCertificates(readFileSync(path), VENDOR_DER)[0],
    );
    assert.ok(root && issuer);
    const { endorsementKey, findings } = checkEndorsementKey(
      { certificate, publicArea, chain: [issuer] },
      { store: buildTrustStore([root]), nowMs: Date.now() },
    );
    assert.ok(endorsementKey, JSON.stringify(findings));
  });

  test('the same TPM after a reboot: the same endorsement key, one reset more', () => {
    const [a, b] = [first as BootResult, second as BootResult];
    assert.equal(b.outcome, 'reported', b.serial);
    assert.deepEqual(fileOf(a, 'ek.pub'), fileOf(b, 'ek.pub'));
    const [before, after] = [a, b].map((boot) => decode(tpmsAttest, fileOf(boot, 'quote.attest')).clockInfo);
    assert.equal(Number(after?.resetCount) - Number(before?.resetCount), 1);
  });

  test('credentials come to the guest whole', () => {
    const dmi = Buffer.from(fileOf(second as BootResult, 'dmi')).toString('latin1');
    assert.ok(dmi.includes('io.systemd.credential:vouchsafe.note=a, b\0'));
  });

  test('a machine that is stopped says so, and leaves nothing', () => {
    assert.equal(stopped?.outcome, 'stopped', stopped?.serial);
    assert.equal(stopped?.results.size, 0);
  });

  test('a machine without a disk does not start; one that QEMU does not take says what QEMU says', async () => {
    const request = { disk: join(tmpdir(), 'vouchsafe-no-such-disk'), firmwareVariables: FIRMWARE_VARIABLES };
    await assert.rejects(bootDisk(request), { code: 'input_missing' });
    const shape = { memoryMib: 512, processors: 100_000 };
    await assert.rejects(bootDisk({ ...image, shape }), { code: 'tool_failed' });
  });

  test('a machine whose time is over is ended', async () => {
    const folder = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const disk = join(folder, 'empty.img');
    writeFileSync(disk, new Uint8Array(1024 * 1024));
    const { outcome } = await bootDisk({ disk, firmwareVariables: FIRMWARE_VARIABLES, timeoutMs: 300 });
    assert.equal(outcome, 'timed_out');
  });

  test('KVM is chosen only where firmware runs under it', async () => {
    const accelerator = await findAccelerator();
    assert.ok(accelerator === 'tcg' || accelerator === 'kvm');
    assert.equal(await findAccelerator(), accelerator);
  });
});
