// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BootState } from '@vouchsafe/appraise';
import { openState, type SettledSource, storedState } from '../src/domain/attestation/stored-state.ts';

const settled = { basis: 'b', facts: {}, findings: [], used: [] } as unknown as NonNullable<BootState['settled']>;
const state = { form: 1, atMs: 1, bank: 'sha256', settled } as unknown as BootState;
const from = (load: SettledSource['load']): SettledSource => ({ known: () => undefined, load });
const NOTHING = { state: undefined, settledSha256: undefined };

test('a state in two parts is the state', async () => {
  const first = storedState(state, NOTHING);
  assert.ok(first.settled !== undefined && !first.state.includes('basis'));
  const held = await openState(
    first.state,
    from(async () => first.settled),
  );
  assert.deepEqual(held, { state, settledSha256: first.settledSha256 });

  const next = { ...held.state, atMs: 2 } as BootState;
  const second = storedState(next, held);
  assert.equal(second.settled, undefined, 'what is there is not written again');
  assert.deepEqual(
    (
      await openState(
        second.state,
        from(async () => first.settled),
      )
    ).state,
    next,
  );

  const rebooted = storedState({ ...next, settled: { ...settled, basis: 'c' } }, held);
  assert.ok(rebooted.settled !== undefined && rebooted.settledSha256 !== held.settledSha256);
});

test('what is known already is not loaded, and is the same object', async () => {
  const { state: text, settledSha256 } = storedState(state, NOTHING);
  const known = (sha256: string) => (sha256 === settledSha256 ? settled : undefined);
  const held = await openState(text, { known, load: () => assert.fail('it is known') });
  assert.equal(held.state?.settled, settled);
});

test("another boot's part is none", async () => {
  const { state: text } = storedState(state, NOTHING);
  const { settled: _, ...rest } = state;
  for (const other of [undefined, JSON.stringify({ ...settled, basis: 'c' })]) {
    assert.deepEqual(
      await openState(
        text,
        from(async () => other),
      ),
      { state: rest, settledSha256: undefined },
    );
  }
});

test('a state without a settled boot, and none', async () => {
  const { settled: _, ...rest } = state;
  const stored = storedState(rest, NOTHING);
  assert.equal(stored.settled, undefined);
  const unasked = from(() => assert.fail('there is nothing to ask for'));
  assert.deepEqual(await openState(stored.state, unasked), { state: rest, settledSha256: undefined });
  assert.deepEqual(await openState(null, unasked), NOTHING);
});

test('a state of before there were two parts is read, and written in two', async () => {
  const held = await openState(
    JSON.stringify(state),
    from(() => assert.fail('it holds all')),
  );
  assert.deepEqual(held, { state, settledSha256: undefined });
  assert.ok(storedState(state, held).settled !== undefined);
});
