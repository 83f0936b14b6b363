// SPDX-License-Identifier: Apache-2.0
import type { ManifestBudgets } from '@vouchsafe/manifest';
import type { RecipeNode } from './recipe-node.ts';

/** Most that an image may need; in a manifest they have the same names. */
export type Budgets = ManifestBudgets;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  KiB: 1024,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
};
const TIMES: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };

/** @throws {ImageError} 'recipe_invalid' */
export function parseBudgets(node: RecipeNode | undefined): Budgets {
  if (node === undefined) return {};
  node.allow('disk', 'root', 'uki', 'initrd', 'boot');
  return {
    ...member('diskBytes', sizeOf(node.optional('disk'))),
    ...member('rootBytes', sizeOf(node.optional('root'))),
    ...member('ukiBytes', sizeOf(node.optional('uki'))),
    ...member('initrdBytes', sizeOf(node.optional('initrd'))),
    ...member('bootMs', timeOf(node.optional('boot'))),
  };
}

const member = (key: keyof Budgets, value: number | undefined): Budgets =>
  value === undefined ? {} : { [key]: value };

function sizeOf(node: RecipeNode | undefined): number | undefined {
  if (node === undefined) return undefined;
  return (
    amount(node, UNITS) ?? node.refuse('expected a size: a whole number of octets, or one with K, M or G (of 1024)')
  );
}

function timeOf(node: RecipeNode | undefined): number | undefined {
  if (node === undefined) return undefined;
  return amount(node, TIMES) ?? node.refuse('expected a time: a whole number with ms, s or min');
}

function amount(node: RecipeNode, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit = ''] = /^([0-9]{1,15})\s*([A-Za-z]*)$/.exec(node.plain()) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (digits === undefined || factor === undefined) return undefined;
  const value = Number(digits) * factor;
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
