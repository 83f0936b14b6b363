// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { SpoolFile } from '@vouchsafe/disk/node';
import { plannedPolicyContents, policyContents } from '../src/build/policy-contents.ts';
import { plannedUkiBytes, writeUki } from '../src/build/signed-uki.ts';
import { madeProgram, testSigner } from './made-disk.ts';
import { madeStub } from './recipe-folder.ts';

test('a UKI is as large as was planned before anything was measured, with policies and without', async () => {
  const stub = memorySource(await madeStub(), 'stub');
  const { signer } = await testSigner();
  for (const initrdBytes of [1, 511, 512, 100_001]) {
    for (const signers of [new Map(), new Map([['sha256', signer] as const])]) {
      const choice = { signers, phases: ['', 'enter-initrd', 'enter-initrd:leave-initrd', 'enter-initrd'] };
      const initrds = [memorySource(new Uint8Array(initrdBytes).fill(7), 'initrd')];
      const contents = { linux: madeProgram(), initrds, cmdline: utf8('quiet'), uname: utf8('6.1') };
      const planned = await plannedUkiBytes(stub, await plannedPolicyContents(stub, contents, choice), signer);
      using spool = SpoolFile.create('UKI');
      await writeUki(stub, await policyContents(stub, contents, choice), signer, spool);
      assert.equal(spool.size, planned, `${initrdBytes} octets, ${signers.size} signers`);
    }
  }
});
