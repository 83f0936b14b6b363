// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import * as library from '@vouchsafe/tpm';
import { openSwtpm, openSwtpmControl } from '@vouchsafe/tpm/node';
import { Transcript } from '../transcript.ts';
import { attestationCases } from './cases/attestations.ts';
import { duplicationCases } from './cases/duplications.ts';
import { hashCases } from './cases/hashes.ts';
import { keyCases } from './cases/keys.ts';
import { machineCases } from './cases/machine.ts';
import { nvCases } from './cases/nv.ts';
import { objectCases } from './cases/objects.ts';
import { pcrCases } from './cases/pcrs.ts';
import { policyCases } from './cases/policies.ts';
import { sealedPolicyCases } from './cases/sealed-policies.ts';

test('every command, to success and into an error, on a TPM', needsTool('swtpm'), async (t) => {
  const swtpm = await startSwtpm(t, tempDir(t));
  const open = await openSwtpm({ path: swtpm.path });
  t.after(() => open.close());
  const control = await openSwtpmControl({ path: swtpm.controlPath });
  t.after(() => control.close());
  const transcript = new Transcript();
  const done = { success: new Set<number>(), error: new Set<number>() };
  const tpm: library.TpmTransport = {
    async send(command) {
      const response = await open.send(command);
      const isSuccess = new DataView(response.buffer, response.byteOffset).getUint32(6) === 0;
      done[isSuccess ? 'success' : 'error'].add(new DataView(command.buffer, command.byteOffset).getUint32(6));
      transcript.note(command, response);
      return response;
    },
  };
  await t.test('PCRs', (group) => pcrCases(group, tpm));
  await t.test('objects', (group) => objectCases(group, tpm));
  await t.test('policies', (group) => policyCases(group, tpm));
  await t.test('what a policy opens', (group) => sealedPolicyCases(group, tpm));
  await t.test('attestations', (group) => attestationCases(group, tpm));
  await t.test('keys', (group) => keyCases(group, tpm));
  await t.test('hashes', (group) => hashCases(group, tpm));
  await t.test('NV', (group) => nvCases(group, tpm));
  await t.test('duplication', (group) => duplicationCases(group, tpm));
  await t.test('the machine', (group) => machineCases(group, tpm, control));

  const declared = Object.entries(library).filter(([name]) => name.startsWith('tpm2') && !name.startsWith('tpm2b'));
  assert.ok(declared.length >= 75, `${declared.length} commands`);
  for (const [name, value] of declared) {
    const { code } = value as { code: number };
    for (const result of [done.success, done.error])
      assert.ok(result.has(code), `${name}: not seen ${result === done.success ? 'to succeed' : 'to fail'}`);
  }
  if (process.env['UPDATE'] === '1') transcript.write();
});
