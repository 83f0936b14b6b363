// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isVouchsafeError, VouchsafeError } from '@vouchsafe/base';

class SampleError extends VouchsafeError<'sample_one' | 'sample_two'> {
  override readonly name = 'SampleError';
  readonly code = 'sample_one';
}

test('an error has its code, its name, its message and its cause', () => {
  const cause = new Error('why');
  const error = new SampleError('expected this, got that', { cause });
  assert.ok(error instanceof Error && error instanceof VouchsafeError);
  assert.deepEqual([error.code, error.name, error.message], ['sample_one', 'SampleError', 'expected this, got that']);
  assert.equal(error.cause, cause);
  assert.equal(String(error), 'SampleError: expected this, got that');
  assert.ok(isVouchsafeError(error));
});

test('nothing else is one of ours', () => {
  for (const x of [new Error('x'), { code: 'sample_one' }, null, undefined, 'sample_one'])
    assert.ok(!isVouchsafeError(x));
});
