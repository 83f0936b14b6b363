// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, concatBytes, toHex } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import {
  execute,
  nvAttributes,
  nvPublicArea,
  type Policy,
  policyAuthorize,
  policyAuthValue,
  policyCommandCode,
  policyCounterTimer,
  policyDuplicationSelect,
  policyLocality,
  policyNv,
  policyNvWritten,
  policyOr,
  policyPcr,
  policySecret,
  policyTemplate,
  readNvIndex,
  readPcrs,
  startPolicy,
  TPM_CC,
  TPM_RH,
  tpm2NvDefineSpace,
  tpm2NvWrite,
} from '@vouchsafe/tpm';
import { connected, EMPTY } from './tpm.ts';
import { NEEDS, workshop } from './workshop.ts';

test('policies: each tool of tpm2_policy* comes to the digest that we compute', NEEDS, async (t) => {
  const { swtpm, read, write, tool } = await workshop(t);
  const empty = startPolicy('sha256');
  const other = new Uint8Array(32).fill(9);
  write('zero.policy', empty.digest);
  write('other.policy', other);
  const key = await tool('openssl ecparam -name prime256v1 -genkey -noout -out signer.key').then(async () => {
    await tool('openssl ec -in signer.key -pubout -out signer.pem');
    await tool('tpm2_loadexternal -Q -C o -G ecc -u signer.pem -c signer.ctx -n signer.name');
    return read('signer.name');
  });
  const pcrs = [{ bank: 'sha256', pcrs: [1, 2, 23] }] as const;
  const { values } = await connected(swtpm, (tpm) => readPcrs(tpm, pcrs));
  const nvIndex = 0x0180_0001;
  const nvName = await connected(swtpm, async (tpm) => {
    const attributes = nvAttributes('ordinary', 'ownerWrite', 'ownerRead', 'noDA');
    const publicInfo = nvPublicArea({ nvIndex, nameAlg: 'sha256', attributes, authPolicy: EMPTY, dataSize: 8 });
    await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth: EMPTY, publicInfo });
    await execute(tpm, tpm2NvWrite, { authHandle: TPM_RH.owner, nvIndex, data: ascii('12345678'), offset: 0 });
    return (await readNvIndex(tpm, nvIndex)).name;
  });
  write('operand', ascii('12345678'));
  const owner = encode(u32be, TPM_RH.owner);
  const parent = concatBytes(Uint8Array.of(0, 0xb), other);
  write('parent.name', parent);
  const cases: readonly (readonly [string, Policy])[] = [
    ['tpm2_policypcr -Q -l sha256:1,2,23', policyPcr(empty, pcrs, values)],
    ['tpm2_policyauthvalue', policyAuthValue(empty)],
    ['tpm2_policypassword', policyAuthValue(empty)],
    ['tpm2_policycommandcode TPM2_CC_Unseal', policyCommandCode(empty, TPM_CC.unseal)],
    ['tpm2_policylocality four', policyLocality(empty, 0x10)],
    ['tpm2_policysecret -Q -c o', policySecret(empty, owner)],
    ['tpm2_policyor -Q sha256:zero.policy,other.policy', policyOr(empty, [empty.digest, other])],
    ['tpm2_policynvwritten s', policyNvWritten(empty, true)],
    [
      'tpm2_policynv -Q -i operand -C o 0x1800001 eq',
      policyNv(empty, nvName, { operandB: ascii('12345678'), offset: 0, operation: 'eq' }),
    ],
    [
      `tpm2_policyauthorize -Q -i other.policy -n signer.name -q ${toHex(ascii('ref'))}`,
      policyAuthorize(empty, key, ascii('ref')),
    ],
    ['tpm2_policyduplicationselect -Q -N parent.name', policyDuplicationSelect(empty, parent)],
    ['tpm2_policytemplate -Q --template-hash=other.policy', policyTemplate(empty, other)],
    [
      'tpm2_policycountertimer -Q clock=0 --ugt',
      policyCounterTimer(empty, { operandB: new Uint8Array(8), offset: 8, operation: 'unsignedGt' }),
    ],
  ];
  for (const [line, policy] of cases) {
    const [name = '', ...args] = line.split(' ');
    await swtpm.tool('tpm2_startauthsession', '-S', 'trial.ctx');
    await swtpm.tool(name, '-S', 'trial.ctx', '-L', 'trial.policy', ...args);
    await swtpm.tool('tpm2_flushcontext', 'trial.ctx');
    assert.equal(toHex(read('trial.policy')), toHex(policy.digest), line);
  }
});
