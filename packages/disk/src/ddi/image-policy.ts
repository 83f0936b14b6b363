// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

/** What a policy has rules for. systemd.image-policy(7). */
export const DESIGNATORS = [
  'root',
  'usr',
  'home',
  'srv',
  'esp',
  'xbootldr',
  'swap',
  'root-verity',
  'root-verity-sig',
  'usr-verity',
  'usr-verity-sig',
  'tmp',
  'var',
] as const;
export type Designator = (typeof DESIGNATORS)[number];

/** How a partition may be used, or that it may be unused or absent. */
export const USES = ['verity', 'signed', 'encrypted', 'unprotected', 'unused', 'absent'] as const;
export type PartitionUse = (typeof USES)[number];

/** One rule as it was written. */
export interface PolicyRule {
  /** Undefined for the rule for all that are not named. */
  readonly designator: Designator | undefined;
  /** The flags' names as they stand, 'open' and 'ignore' too. */
  readonly flags: readonly string[];
}

/** An image policy. Names that are not known are in it: some readers pass over them, which is worth knowing. */
export interface ImagePolicy {
  readonly text: string;
  readonly rules: readonly PolicyRule[];
  /** What stands in the text and is passed over by who is lenient. */
  readonly unknown: readonly { readonly rule: string; readonly name: string; readonly kind: 'designator' | 'flag' }[];
}

const ALIASES: Readonly<Record<string, readonly PartitionUse[]>> = { open: USES, ignore: ['unused', 'absent'] };
/** Attribute bits, and from 260 on file systems, which say nothing about protection. */
const OTHER_FLAGS: ReadonlySet<string> = new Set([
  'read-only-on',
  'read-only-off',
  'growfs-on',
  'growfs-off',
  'btrfs',
  'erofs',
  'ext4',
  'f2fs',
  'squashfs',
  'vfat',
  'xfs',
]);
const WHOLE: Readonly<Record<string, readonly string[]>> = {
  '-': ['ignore'],
  '': ['ignore'],
  '*': ['open'],
  '~': ['absent'],
};
const MAX_CHARACTERS = 4096;

/**
 * Reads a policy as systemd does where it is lenient: names that it does not know are noted and passed over.
 * systemd.image-policy(7); systemd, src/shared/image-policy.c, image_policy_from_string.
 * @throws {DiskError} 'policy_malformed' for what no systemd takes: a rule without =, two for one partition.
 */
export function parseImagePolicy(text: string): ImagePolicy {
  const refuse = (problem: string): never => {
    throw new DiskError('policy_malformed', `image policy: ${problem}`);
  };
  if (text.length > MAX_CHARACTERS) refuse(`expected at most ${MAX_CHARACTERS} characters, found ${text.length}`);
  const whole = Object.hasOwn(WHOLE, text) ? WHOLE[text] : undefined;
  if (whole !== undefined) return { text, rules: [{ designator: undefined, flags: whole }], unknown: [] };
  const rules: PolicyRule[] = [];
  const unknown: ImagePolicy['unknown'][number][] = [];
  for (const rule of text.split(':')) {
    const equals = rule.indexOf('=');
    if (equals < 0) refuse(`expected PARTITION=FLAG+FLAG, found ${JSON.stringify(rule)}`);
    const name = rule.slice(0, equals).trim();
    const value = rule.slice(equals + 1).trim();
    const words = value === '' || value === '-' ? [] : value.split('+').map((word) => word.trim());
    if (words.includes('')) refuse(`expected flags with one + between them, found ${JSON.stringify(rule)}`);
    const flags = words.filter((word) => isFlag(word));
    if (name !== '' && !isDesignator(name)) {
      unknown.push({ rule, name, kind: 'designator' });
      continue;
    }
    for (const word of words) if (!isFlag(word)) unknown.push({ rule, name: word, kind: 'flag' });
    const designator = name === '' ? undefined : (name as Designator);
    if (rules.some((earlier) => earlier.designator === designator)) {
      refuse(`expected one rule for ${designator ?? 'all other partitions'}, found a second`);
    }
    rules.push({ designator, flags });
  }
  return { text, rules, unknown };
}

const isDesignator = (name: string): name is Designator => (DESIGNATORS as readonly string[]).includes(name);
const isFlag = (name: string): boolean =>
  (USES as readonly string[]).includes(name) || Object.hasOwn(ALIASES, name) || OTHER_FLAGS.has(name);

/** The partition that a hash or signature partition is for. */
export function dataOf(designator: Designator): Designator | undefined {
  const match = /^(root|usr)-verity(-sig)?$/.exec(designator);
  return match === null ? undefined : (match[1] as Designator);
}

/** True for the partitions that can have verity. */
export function canHaveVerity(designator: Designator): boolean {
  return designator === 'root' || designator === 'usr';
}

/** The uses that flags name; all of them when they name none. */
export function usesOf(flags: readonly string[]): ReadonlySet<PartitionUse> {
  const uses = flags.flatMap((flag) => ALIASES[flag] ?? USES.filter((use) => use === flag));
  return new Set(uses.length === 0 ? USES : uses);
}

/**
 * How a policy lets a partition be used: by its rule; a hash or signature partition without one by what its data's rule
 * needs; else by the rule for all others, or without one unused or absent. systemd, src/shared/image-policy.c,
 * image_policy_get_exhaustively and partition_policy_normalized_flags.
 */
export function allowedUses(policy: ImagePolicy, designator: Designator): ReadonlySet<PartitionUse> {
  const own = ruleFor(policy, designator);
  if (own !== undefined) return normalized(usesOf(own.flags), designator);
  const data = dataOf(designator);
  const dataRule = data === undefined ? undefined : ruleFor(policy, data);
  if (data !== undefined && dataRule !== undefined) {
    const dataUses = normalized(usesOf(dataRule.flags), data);
    const isNeeded = designator.endsWith('-sig')
      ? dataUses.has('signed')
      : dataUses.has('signed') || dataUses.has('verity');
    if (isNeeded) {
      const passive = (['unused', 'absent'] as const).filter((use) => dataUses.has(use));
      return new Set<PartitionUse>(['unprotected', ...passive]);
    }
  }
  const others = ruleFor(policy, undefined);
  return normalized(others === undefined ? new Set(ALIASES['ignore']) : usesOf(others.flags), designator);
}

export function ruleFor(policy: ImagePolicy, designator: Designator | undefined): PolicyRule | undefined {
  return policy.rules.find((rule) => rule.designator === designator);
}

/** Without the protections that a partition of this kind cannot have. */
function normalized(uses: ReadonlySet<PartitionUse>, designator: Designator): ReadonlySet<PartitionUse> {
  const impossible: readonly PartitionUse[] =
    dataOf(designator) !== undefined
      ? ['verity', 'signed', 'encrypted']
      : canHaveVerity(designator)
        ? []
        : ['verity', 'signed'];
  return new Set([...uses].filter((use) => !impossible.includes(use)));
}
