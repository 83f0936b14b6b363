// SPDX-License-Identifier: Apache-2.0
import type { ErofsCompression, TreeRule } from '@vouchsafe/disk';
import { BANKS, type Bank } from '@vouchsafe/manifest';
import { type Budgets, parseBudgets } from './budgets.ts';
import { checkTogether } from './check-together.ts';
import { type CompanionsInput, parseCompanions } from './companions-input.ts';
import { type ImaInput, parseIma } from './ima-input.ts';
import { type InitrdInput, parseInitrdInput, parsePhases } from './initrd-input.ts';
import { type KernelInput, parseKernelInput } from './kernel-input.ts';
import { type LayoutInput, parseLayout, parseVar } from './layout-input.ts';
import { parsePolicyPhases } from './policy-phases.ts';
import { RecipeNode } from './recipe-node.ts';
import { parseRootInput, type RootInput } from './root-input.ts';
import { parseTreeRules } from './tree-rules.ts';

/** What an image is made of. Paths are as they stand in the file, from its folder. */
export interface Recipe {
  readonly name: string;
  readonly version: string;
  /** All UUIDs and the salt follow from it; from the name unless given. */
  readonly seed: string | undefined;
  /** Of every file of the image, in seconds since 1970. */
  readonly timestampSeconds: number;
  readonly root: RootInput;
  /** Of the root's file system. */
  readonly compression: ErofsCompression;
  readonly rules: readonly TreeRule[];
  readonly kernel: KernelInput;
  readonly initrd: InitrdInput;
  readonly stub: string | undefined;
  /** Behind what the image itself needs (roothash=). */
  readonly commandLine: string;
  /** systemd-boot; without it firmware starts the image. */
  readonly loader: string | undefined;
  /** A folder of `keys generate`. */
  readonly keys: string;
  /** Boot phase paths that initrd and root extend into PCR 11. */
  readonly phases: readonly string[];
  /** Those in which what is sealed to the pcr key opens; the empty one is the bare kernel. */
  readonly policyPhases: readonly string[];
  readonly layout: LayoutInput;
  /** An encrypted /var, made on the first boot. */
  readonly var: { readonly sizeBytes: number } | undefined;
  readonly companions: CompanionsInput;
  /** 'kata': for a confidential guest, which is booted without firmware and TPM. */
  readonly profile: 'machine' | 'kata';
  readonly banks: readonly Bank[];
  /** Without it the kernel is not told to measure files. */
  readonly ima: ImaInput | undefined;
  readonly budgets: Budgets;
}

const NAMES = [
  'name',
  'version',
  'seed',
  'timestamp',
  'root',
  'rules',
  'kernel',
  'initrd',
  'stub',
  'command-line',
  'loader',
  'keys',
  'phases',
  'policy-phases',
  'layout',
  'var',
  'sysexts',
  'confexts',
  'credentials',
  'profile',
  'banks',
  'ima',
  'budgets',
];

/** Seconds of a 32-bit time, which EROFS and FAT have room for. */
const MAX_TIME = 0xffff_ffff;

/**
 * A recipe out of YAML 1.2.
 * @param file what to call it in messages.
 * @param settings values that stand in for those of the file, by their path with dots: 'root.tar'.
 * @throws {ImageError} 'recipe_invalid', with file, line and column.
 */
export function parseRecipe(text: string, file: string, settings: ReadonlyMap<string, string> = new Map()): Recipe {
  const node = RecipeNode.parse(text, file, settings).allow(...NAMES);
  const timestampSeconds = node.optional('timestamp')?.integer(0, MAX_TIME) ?? 0;
  const initrd = parseInitrdInput(node.optional('initrd'));
  const phases = parsePhases(node.optional('phases'), initrd);
  const recipe: Recipe = {
    name: word(node.member('name')),
    version: word(node.member('version')),
    seed: seedOf(node.optional('seed')),
    timestampSeconds,
    root: parseRootInput(node.member('root')),
    compression: node.member('root').optional('compression')?.oneOf('none', 'lz4') ?? 'none',
    rules: parseTreeRules(node.optional('rules')),
    kernel: parseKernelInput(node.member('kernel')),
    initrd,
    stub: node.optional('stub')?.text(),
    commandLine: commandLineOf(node.optional('command-line'), node.optional('ima') !== undefined),
    loader: node.optional('loader')?.text(),
    keys: node.member('keys').text(),
    phases,
    policyPhases: parsePolicyPhases(node, phases, initrd),
    layout: parseLayout(node.optional('layout')),
    var: parseVar(node.optional('var')),
    companions: parseCompanions(node),
    profile: node.optional('profile')?.oneOf('machine', 'kata') ?? 'machine',
    banks: banksOf(node.optional('banks')),
    ima: parseIma(node.optional('ima')),
    budgets: parseBudgets(node.optional('budgets')),
  };
  checkTogether(recipe, node);
  return recipe;
}

/** What becomes part of the names of files and partitions. */
function word(node: RecipeNode): string {
  const text = node.text();
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/.test(text)) {
    return node.refuse('expected up to 64 letters, digits, dots, underscores, plus and minus, a letter or digit first');
  }
  return text;
}

function seedOf(node: RecipeNode | undefined): string | undefined {
  const text = node?.text().toLowerCase();
  if (text !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) {
    return node?.refuse('expected a UUID');
  }
  return text;
}

/** Firmware, stub and kernel split it at white space, so it is one line. */
function commandLineOf(node: RecipeNode | undefined, hasIma: boolean): string {
  const text = node?.text() ?? '';
  if (hasIma && /(^|[\s"])ima_(policy|template|hash)=/.test(text)) {
    node?.refuse('expected ima_policy=, ima_template= and ima_hash= from the member ima alone');
  }
  if (!/^[\x20-\x7e]{0,2048}$/.test(text)) node?.refuse('expected one line of at most 2048 printable ASCII characters');
  return text;
}

function banksOf(node: RecipeNode | undefined): readonly Bank[] {
  if (node === undefined) return ['sha256'];
  const banks = node.items().map((item) => item.oneOf(...BANKS));
  if (new Set(banks).size !== banks.length) node.refuse('expected each bank once');
  return banks;
}
