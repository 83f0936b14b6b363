// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  allowedUses,
  applyImagePolicy,
  checkImagePolicy,
  type Designator,
  designatorOf,
  layoutDefinitions,
  parseImagePolicy,
  partitionTypeUuid,
} from '@vouchsafe/disk';
import fc from 'fast-check';
import { SEED, withCode } from './support.ts';

const uses = (policy: string, designator: Designator): string[] =>
  [...allowedUses(parseImagePolicy(policy), designator)].sort();
const codes = (policy: string): string[] => checkImagePolicy(parseImagePolicy(policy)).map(({ code }) => code);

const OPEN = ['absent', 'encrypted', 'signed', 'unprotected', 'unused', 'verity'];

// The examples of systemd.image-policy(7), and the rules behind them.
test('what policies allow', () => {
  const first = 'usr=verity+read-only-on:root=encrypted:swap=encrypted';
  assert.deepEqual(uses(first, 'usr'), ['verity']);
  assert.deepEqual(uses(first, 'usr-verity'), ['unprotected']);
  assert.deepEqual(uses(first, 'usr-verity-sig'), ['absent', 'unused']);
  assert.deepEqual(uses(first, 'root'), ['encrypted']);
  assert.deepEqual(uses(first, 'root-verity'), ['absent', 'unused']);
  assert.deepEqual(uses(first, 'home'), ['absent', 'unused']);
  const third = 'root=unprotected+encrypted:swap=absent+unused:=unprotected+encrypted+absent';
  assert.deepEqual(uses(third, 'home'), ['absent', 'encrypted', 'unprotected']);
  assert.deepEqual(uses('root=signed+absent', 'root-verity-sig'), ['absent', 'unprotected']);
  assert.deepEqual(uses('root=read-only-on', 'root'), OPEN);
  assert.deepEqual(uses('root=', 'root'), OPEN);
  assert.deepEqual(uses('root=-', 'root'), OPEN);
  assert.deepEqual(uses('*', 'root'), OPEN);
  assert.deepEqual(uses('*', 'home'), ['absent', 'encrypted', 'unprotected', 'unused']);
  assert.deepEqual(uses('~', 'var'), ['absent']);
  for (const nothing of ['-', '']) assert.deepEqual(uses(nothing, 'root'), ['absent', 'unused']);
  assert.deepEqual(uses('home=signed', 'home'), []);
  assert.deepEqual(uses(' root = signed : = absent ', 'root'), ['signed']);
});

test('a policy that no systemd takes', () => {
  for (const policy of [
    'root',
    'root=signed:',
    'root=signed:root=verity',
    '=absent:=open',
    'root=a++b',
    'x'.repeat(5000),
  ]) {
    assert.throws(() => parseImagePolicy(policy), withCode('policy_malformed'), policy);
  }
});

test('what a policy silently takes', () => {
  assert.deepEqual(codes('root=signed'), []);
  assert.deepEqual(codes('root=signed:swap=encrypted:=absent'), []);
  assert.deepEqual(codes('root=verity'), ['policy_self_made_root']);
  assert.deepEqual(codes('root=signed+verity'), ['policy_unsigned']);
  assert.deepEqual(codes('root=signed+unprotected'), ['policy_unprotected']);
  assert.deepEqual(codes('root=signed+absent'), ['policy_missing_taken']);
  assert.deepEqual(codes('root=read-only-on'), ['policy_open_implied']);
  assert.deepEqual(codes('root=signd'), ['policy_unknown_name', 'policy_open_implied']);
  assert.deepEqual(codes('roo=signed'), ['policy_unknown_name', 'policy_nothing_used']);
  assert.deepEqual(codes('root=signed:home=verity'), ['policy_impossible']);
  assert.deepEqual(codes('root=signed:home=verity+encrypted'), ['policy_flag_without_effect']);
  assert.deepEqual(codes('root=signed:=open'), ['policy_default_open']);
  assert.deepEqual(codes('root=signed:root-verity-sig=absent'), ['policy_sibling_kept_out']);
  assert.deepEqual(codes('root=verity:root-verity-sig=absent'), ['policy_self_made_root']);
  assert.deepEqual(codes('-'), ['policy_nothing_used']);
  assert.deepEqual(codes('*'), ['policy_default_open']);
  assert.ok(codes('root=open').includes('policy_unprotected'));
});

test('an error exactly where a protected partition is taken without its protection', () => {
  const flags = fc.uniqueArray(fc.constantFrom('signed', 'verity', 'encrypted', 'unprotected', 'unused', 'absent'), {
    minLength: 1,
  });
  fc.assert(
    fc.property(flags, (words) => {
      const findings = checkImagePolicy(parseImagePolicy(`root=${words.join('+')}`));
      const isProtected = words.some((word) => /^(signed|verity|encrypted)$/.test(word));
      const isWeak =
        (isProtected && words.includes('unprotected')) || (words.includes('signed') && words.includes('verity'));
      assert.equal(
        findings.some(({ severity }) => severity === 'error'),
        isWeak,
        words.join('+'),
      );
    }),
  );
});

test('what a policy makes of a disk', () => {
  const table = (...types: string[]) =>
    layoutDefinitions({
      definitions: types.map((type) => {
        return { name: type, typeUuid: partitionTypeUuid(type) ?? '', contentBytes: 4096 };
      }),
      seedUuid: SEED,
      sectorSize: 512,
    });
  const used = (policy: string, ...types: string[]) =>
    Object.fromEntries(
      applyImagePolicy(parseImagePolicy(policy), table(...types), () => false).map(({ designator, use }) => [
        designator,
        use,
      ]),
    );
  const signed = ['root-arm64', 'root-arm64-verity', 'root-arm64-verity-sig'];
  const all = { root: 'signed', 'root-verity': 'unprotected', 'root-verity-sig': 'unprotected' };
  assert.deepEqual(used('root=signed', ...signed), all);
  assert.deepEqual(used('*', ...signed), all);
  assert.deepEqual(used('root=signed', ...signed.slice(0, 2)), {
    root: undefined,
    'root-verity': 'unprotected',
    'root-verity-sig': undefined,
  });
  assert.equal(used('root=verity', ...signed)['root'], 'verity');
  assert.equal(used('root=encrypted', 'root-arm64')['root'], undefined);
  const encrypted = applyImagePolicy(parseImagePolicy('root=encrypted'), table('root-arm64'), () => true);
  assert.equal(encrypted[0]?.use, 'encrypted');
  assert.equal(used('root=signed:=absent', ...signed, 'var')['var'], undefined);
  assert.equal(used('root=signed', ...signed, 'var')['var'], 'unused');
});

test('kinds of partition types', () => {
  const of = (name: string) => designatorOf(partitionTypeUuid(name) ?? '');
  assert.equal(of('root-x86-64-verity-sig'), 'root-verity-sig');
  assert.equal(of('usr-ppc64-le-verity'), 'usr-verity');
  assert.equal(of('usr-x86'), 'usr');
  assert.equal(of('esp'), 'esp');
  assert.equal(of('linux-generic'), undefined);
});
