// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { steadyClock } from '../src/main/clock.ts';

const HOUR_MS = 3_600_000;

test('A62: a host clock that is set back does not take the service back', () => {
  let [host, monotonic] = [1_000_000_000, 5];
  const clock = steadyClock(
    () => host,
    () => monotonic,
  );
  assert.equal(clock(), 1_000_000_000);
  host -= HOUR_MS;
  monotonic += 10;
  assert.equal(clock(), 1_000_000_010);
});

test('A62: one that is set forward takes it along, for good', () => {
  let [host, monotonic] = [1_000_000_000, 5];
  const clock = steadyClock(
    () => host,
    () => monotonic,
  );
  host += HOUR_MS;
  assert.equal(clock(), 1_000_000_000 + HOUR_MS);
  host -= HOUR_MS;
  monotonic += 1;
  assert.equal(clock(), 1_000_000_001 + HOUR_MS);
});

test('A62: a service that starts with a clock behind what was written goes on from there', () => {
  const clock = steadyClock(
    () => 1_000,
    () => 0,
    5_000,
  );
  assert.equal(clock(), 5_000);
});
