// SPDX-License-Identifier: Apache-2.0
// The simulated machines of the demo, at a service that runs and has no part for them; without a boot.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { encodeBase64url } from '@vouchsafe/protocol';
import { createClient } from '@vouchsafe/server/test-support/client';
import { openWorkshop } from '@vouchsafe/server/test-support/machine';
import { bootEvents, logOf, pcrsAfter } from '@vouchsafe/server/test-support/made-boot';
import { tempDir } from '@vouchsafe/testing';
import { Fleet } from '../src/demo/fleet/fleet.ts';
import { readRecordedBoot } from '../src/demo/fleet/recorded-boot.ts';
import { newTpmMaker } from '../src/demo/fleet/tpm-maker.ts';
import { readServiceFile } from '../src/service/service-file.ts';
import { startTestService } from './service-support.ts';

/** A service that takes many from one address. */
async function scene(t: TestContext) {
  const limits = { enrolmentsPerMinute: 10_000, requestsPerMinute: 10_000, evidencePerMinute: 10_000 };
  const service = await startTestService(tempDir(t), { limits });
  t.after(() => service.close());
  const file = readServiceFile(service.admin);
  const client = createClient(file.url, { ca: file.ca });
  t.after(() => client.close());
  return { file, client };
}

/** A boot as `agent attest --evidence` leaves it behind. */
function recorded(t: TestContext, kernel?: string) {
  const folder = join(tempDir(t), 'first-evidence');
  const events = bootEvents(kernel === undefined ? {} : { kernel });
  mkdirSync(folder);
  const lines = pcrsAfter(events).map((value, pcr) => `sha256:${pcr}:${toHex(value)}\n`);
  writeFileSync(join(folder, 'quote.pcrs'), lines.join(''));
  writeFileSync(join(folder, 'firmware.log'), logOf(events));
  return readRecordedBoot(folder);
}

test('a fleet joins with the product’s own agent, and is trusted by what any machine is trusted by', async (t) => {
  const { file, client } = await scene(t);
  const workshop = await openWorkshop({ client, adminToken: file.token });
  await workshop.addImage();
  const maker = await newTpmMaker('a test maker', Date.now());
  const progress: string[] = [];
  const join_ = (size: number, kernel?: string) =>
    Fleet.join({
      size,
      service: file,
      maker,
      boot: recorded(t, kernel),
      onProgress: (text) => void progress.push(text),
    });
  // The maker is all that makes a difference, and it is not trusted yet.
  await assert.rejects(join_(2), /endorsement_refused/);
  const certificates = [encodeBase64url(maker.certificate.bytes)];
  assert.equal((await workshop.call('POST', '/v1/trust', { role: 'tpm-maker', certificates })).status, 201);
  {
    using first = await join_(1);
    assert.deepEqual([first.outcome.trusted, Object.keys(first.outcome.reasons)], [0, ['policy_denied']]);
  }
  const learned = await workshop.call('POST', '/v1/baselines', { deviceId: 'fleet-00001' });
  await workshop.call('POST', `/v1/baselines/${learned.body.sha256}/approve`);
  await workshop.call('DELETE', '/v1/devices/fleet-00001');
  using fleet = await join_(40);
  const { size, trusted, certificates: issued, reasons } = fleet.outcome;
  assert.deepEqual({ size, trusted, issued, reasons }, { size: 40, trusted: 40, issued: 40, reasons: {} });
  assert.ok(progress.includes('40 of 40 have attested'), progress.join(', '));
  const listed = await workshop.call('GET', '/v1/devices?limit=100');
  assert.equal(listed.body.items.filter(({ state }: { state: string }) => state === 'trusted').length, 40);
  // They go on until they are told to stop.
  const stop = new AbortController();
  const goesOn = fleet.attestOn(1, stop.signal);
  const newest = async () => (await workshop.call('GET', '/v1/devices/fleet-00040/verdicts')).body.items.length;
  for (let i = 0; i < 200 && (await newest()) < 3; i++);
  stop.abort();
  await goesOn;
  assert.ok((await newest()) >= 3);
});

test('a fleet that booted something else is refused, and says for what', async (t) => {
  const { file, client } = await scene(t);
  const workshop = await openWorkshop({ client, adminToken: file.token });
  await workshop.addImage();
  const maker = await newTpmMaker('a test maker', Date.now());
  const certificates = [encodeBase64url(maker.certificate.bytes)];
  await workshop.call('POST', '/v1/trust', { role: 'tpm-maker', certificates });
  const boot = recorded(t, 'a kernel of somebody’s own');
  using fleet = await Fleet.join({ size: 3, service: file, maker, boot, onProgress: () => {} });
  assert.deepEqual([fleet.outcome.trusted, fleet.outcome.certificates], [0, 0]);
  assert.equal(fleet.outcome.reasons['image_unknown'], 3, JSON.stringify(fleet.outcome.reasons));
});
