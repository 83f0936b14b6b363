// SPDX-License-Identifier: Apache-2.0
// Cedar over the facts: what permits, what forbids, and that everything else is a refusal (A53, A55).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type AppraiseError,
  type CedarEngine,
  type DecisionCache,
  decide,
  POLICY_SCHEMA,
  type PolicyDecision,
  preparePolicy,
  STRICT_POLICY,
} from '@vouchsafe/appraise';
import { loadCedar } from '@vouchsafe/appraise/node';
import { codesOf, policyOf, REFERENCES, STRICT, verdictOn } from './scene.ts';

const GOOD = verdictOn();
const NO_BASELINE = verdictOn({ references: { ...REFERENCES, baselines: [] } });
const trust = (policy: string, facts = GOOD.facts): PolicyDecision =>
  decide(policyOf(policy), { action: 'trust', machine: 'edge-7' }, facts);

test('the strict policy permits what is whole, and says which condition does not hold', () => {
  assert.deepEqual(GOOD.decision, { isPermitted: true, decidedBy: ['strict'], errors: [], unmet: [] });
  assert.deepEqual(NO_BASELINE.decision, {
    ...{ isPermitted: false, decidedBy: [], errors: [] },
    unmet: [{ policy: 'strict', condition: 'context.firmware.isKnown' }],
  });
  assert.match(NO_BASELINE.findings.at(-1)?.hint ?? '', /context\.firmware\.isKnown \(strict\)/);
});

test('a policy that takes what is unknown by name is permitted, and the verdict warns', () => {
  const policy = policyOf(STRICT_POLICY.replace('when { context.firmware.isKnown }\n', ''), 'lab');
  const verdict = verdictOn({ references: { ...REFERENCES, baselines: [] }, input: { policy } });
  assert.deepEqual([verdict.status, verdict.isTrusted, codesOf(verdict)], ['warning', true, ['firmware_unknown']]);
  assert.deepEqual(verdict.policy, { name: 'lab', sha256: policy.sha256 });
});

test('what Cedar keeps of a policy goes when nobody holds the policy any more, and never before', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const names = new Set<string>();
  const engine: CedarEngine = {
    ...loadCedar(),
    preparsePolicySet: (name, policies) => {
      names.add(name);
      return loadCedar().preparsePolicySet(name, policies);
    },
  };
  const textOf = (i: number): string =>
    `@id("p") permit (principal, action, resource) when { context.image.version == "${i}" };`;
  const asked = (i: number, version: string): boolean => {
    const facts = { ...GOOD.facts, image: { ...GOOD.facts.image, version } };
    return decide(preparePolicy(engine, 'p', textOf(i)), { action: 'trust' }, facts).isPermitted;
  };
  const held = preparePolicy(engine, 'held', textOf(-1));
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 20; i++) assert.deepEqual([asked(i, String(i)), asked(i, '-1')], [true, false]);
    collect();
    // Finalizers run between tasks.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(names.size < 200, `800 policies took ${names.size} names`);
  // An engine that fails then ends nothing: there is nobody to tell.
  for (let i = 0; i < 20; i++) asked(i, String(i));
  engine.preparsePolicySet = () => {
    throw new Error('unreachable');
  };
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  const facts = { ...GOOD.facts, image: { ...GOOD.facts.image, version: '-1' } };
  assert.equal(decide(held, { action: 'trust' }, facts).isPermitted, true);
  // A copy does not hold it, so it decides nothing: what it names may be another policy by then.
  const copy = decide({ ...held }, { action: 'trust' }, facts);
  assert.deepEqual([copy.isPermitted, copy.errors.length], [false, 1]);
});

test('A55: no policy at all, none that matches, and a forbid that does: contraindicated', async () => {
  const cedar = loadCedar();
  for (const text of ['', '// nothing\n']) {
    assert.throws(() => preparePolicy(cedar, 'empty', text), { code: 'policy_empty' });
  }
  const others = [
    'permit (principal == Machine::"edge-8", action, resource);',
    'permit (principal, action == Action::"release", resource);',
    'permit (principal, action, resource) when { context.image.name == "other" };',
  ];
  for (const text of others) {
    const verdict = verdictOn({ input: { policy: policyOf(text), machine: 'edge-7' } });
    assert.deepEqual([verdict.status, codesOf(verdict)], ['contraindicated', ['policy_denied']]);
  }
  const forbidden = trust('permit (principal, action, resource); @id("closed") forbid (principal, action, resource);');
  assert.deepEqual([forbidden.isPermitted, forbidden.decidedBy], [false, ['closed']]);
});

test('A55: a policy that permits everything does not outweigh what is wrong', () => {
  const policy = policyOf('permit (principal, action, resource);');
  const verdict = verdictOn({ references: { images: [] }, input: { policy } });
  assert.deepEqual([verdict.status, verdict.isTrusted, verdict.decision.isPermitted], ['contraindicated', false, true]);
  assert.ok(codesOf(verdict).includes('reference_empty'));
});

test('A53: a policy that cannot be evaluated, and an engine that fails, permit nothing', async () => {
  // An overflow is found when it happens.
  const overflow = trust(
    'permit (principal, action, resource); @id("o") permit (principal, action, resource) when { 9223372036854775807 + context.findings.errors + 1 > 0 };',
  );
  assert.deepEqual([overflow.isPermitted, overflow.errors.length], [false, 1]);
  const cedar = loadCedar();
  const broken: CedarEngine = {
    ...cedar,
    statefulIsAuthorized: () => {
      throw new Error('unreachable');
    },
  };
  for (const engine of [
    broken,
    { ...cedar, statefulIsAuthorized: () => ({ type: 'failure', errors: [{ message: 'no' }] }) as const },
  ]) {
    const policy = preparePolicy(engine, 'broken', 'permit (principal, action, resource);');
    const verdict = verdictOn({ input: { policy } });
    assert.deepEqual([verdict.status, codesOf(verdict)], ['contraindicated', ['policy_failed']]);
  }
});

test('a fault is told with its line and column: of the grammar, and of facts that there are not', () => {
  const faults: [text: string, place: RegExp][] = [
    ['permit (principal, action, resource)\nwhen { context.image.isKnow };', /^mine:2:8: .*isKnow/],
    ['permit (principal, action, resource)\nwhen { context.image.version > 3 };', /^mine:2:/],
    ['permit (principal, action,\n  resource) when { foo bar };', /^mine:2:\d+: .*unexpected token/],
    ['// \u00e4\u00f6\u{1f600}\npermit (principal, action, resource) when { context.nothing };', /^mine:2:/],
    ['permit (principal == ?principal, action, resource);', /^mine: .*template/],
    ['@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);', /'a' twice/],
    ['permit (principal is Operator, action, resource);', /Operator/],
  ];
  for (const [text, place] of faults) {
    assert.throws(
      () => policyOf(text, 'mine'),
      (error: AppraiseError) => error.code === 'policy_malformed' && place.test(error.message),
      text,
    );
  }
  assert.throws(() => policyOf(`//${'x'.repeat(300_000)}`), { code: 'limit' });
});

test('a decision is made once for the same facts and the same policy', () => {
  const kept = new Map<string, PolicyDecision>();
  let asked = 0;
  const decisions: DecisionCache = {
    get: (key) => kept.get(key),
    set: (key, decision) => {
      asked++;
      kept.set(key, decision);
    },
  };
  for (const references of [REFERENCES, REFERENCES, { ...REFERENCES, baselines: [] }]) {
    const [cached, fresh] = [verdictOn({ references, input: { decisions } }), verdictOn({ references })];
    assert.deepEqual(cached, fresh);
  }
  verdictOn({ input: { decisions, policy: policyOf('permit (principal, action, resource);') } });
  assert.equal(asked, 3);
  // Another machine is another case only where the policy names machines.
  verdictOn({ input: { decisions, machine: 'edge-7' } });
  assert.equal(asked, 3);
  const named = policyOf('permit (principal == Machine::"edge-7", action, resource);');
  const trusted = ['edge-7', 'edge-8'].map(
    (machine) => verdictOn({ input: { decisions, policy: named, machine } }).isTrusted,
  );
  assert.deepEqual([trusted, asked], [[true, false], 5]);
});

test('a secret has a policy of its own', () => {
  const policy = policyOf(
    'permit (principal, action == Action::"release", resource == Secret::"disk") when { context.image.version like "1.4.*" };',
  );
  const release = (secret: string) => decide(policy, { action: 'release', secret }, GOOD.facts).isPermitted;
  assert.deepEqual([release('disk'), release('other')], [true, false]);
  assert.equal(decide(policy, { action: 'trust' }, GOOD.facts).isPermitted, false);
  assert.equal(decide(STRICT, { action: 'release', secret: 'disk' }, GOOD.facts).isPermitted, false);
});

test('the schema has every fact, so that each can be asked about', () => {
  const paths = (value: object, path: string): string[] =>
    Object.entries(value).flatMap(([key, member]) =>
      typeof member === 'object' && !Array.isArray(member)
        ? paths(member as object, `${path}.${key}`)
        : [`${path}.${key}`],
    );
  const conditions = paths(GOOD.facts, 'context').map((path) => `when { ${path} == ${path} }`);
  assert.ok(conditions.length > 40);
  assert.equal(trust(`permit (principal, action, resource)\n${conditions.join('\n')};`).isPermitted, true);
  assert.ok(POLICY_SCHEMA.includes('action trust'));
});

test('the policy of the documentation is the built-in one', () => {
  const page = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8');
  assert.ok(page.includes(STRICT_POLICY.trim()), 'docs/policies.md shows another policy');
});
