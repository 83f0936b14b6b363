// SPDX-License-Identifier: Apache-2.0
import { inspect } from 'node:util';
import { isVouchsafeError } from '@vouchsafe/base';
import type { FuzzTarget } from '@vouchsafe/testing';
import { mutate } from './mutate.ts';

/** One defect. The number alone gives the input back: `mutate(seeds, number)`, or the seed of that index. */
export interface FuzzFailure {
  /** The index of a seed, or the number that `--seed` takes. */
  readonly input: { readonly kind: 'seed' | 'mutation'; readonly number: number };
  readonly problem: string;
  readonly hex: string;
}

export interface Execution {
  readonly target: FuzzTarget;
  readonly seeds: readonly Uint8Array[];
}

/**
 * Runs one input.
 * @returns what is wrong, or undefined
 */
export function execute({ target, seeds }: Execution, input: FuzzFailure['input']): FuzzFailure | undefined {
  const bytes = inputBytes(seeds, input);
  try {
    target.run(bytes.slice());
  } catch (error) {
    if (!isVouchsafeError(error)) return { input, problem: inspect(error), hex: toHexText(bytes) };
  }
  return undefined;
}

/** The input of execution `i`: the seeds as they are come first, then the mutations. */
export function executionInput(i: number, seedCount: number, firstNumber: number): FuzzFailure['input'] {
  return i < seedCount ? { kind: 'seed', number: i } : { kind: 'mutation', number: firstNumber + i - seedCount };
}

/** The bytes that a failure's input stands for. */
export function inputBytes(seeds: readonly Uint8Array[], { kind, number }: FuzzFailure['input']): Uint8Array {
  return kind === 'seed' ? (seeds[number] ?? new Uint8Array()) : mutate(seeds, number);
}

export function toHexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
