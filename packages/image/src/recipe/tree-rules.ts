// SPDX-License-Identifier: Apache-2.0
import { parseHex, utf8 } from '@vouchsafe/base';
import { compileGlob, DiskError, type FileKind, type TreeRule, type TreeRuleChange } from '@vouchsafe/disk';
import type { RecipeNode } from './recipe-node.ts';

const KINDS = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'block',
  'character',
] as const satisfies readonly FileKind[];
/** All ones is no owner, chown(2). */
const MAX_ID = 0xfffffffe;

/**
 * The recipe's `rules`: each has `paths`, may have `kinds`, `uid`, `gid` and `optional`, and either `remove: true` or `set`.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseTreeRules(node: RecipeNode | undefined): TreeRule[] {
  return (node?.items() ?? []).map((rule): TreeRule => {
    rule.allow('paths', 'kinds', 'uid', 'gid', 'optional', 'remove', 'set');
    const set = rule.optional('set');
    const isRemoval = rule.optional('remove')?.boolean() ?? false;
    if (isRemoval === (set !== undefined)) rule.refuse('expected either remove: true, or set');
    const kinds = rule
      .optional('kinds')
      ?.items()
      .map((kind) => kind.oneOf(...KINDS));
    const [uid, gid] = [rule.optional('uid')?.integer(0, MAX_ID), rule.optional('gid')?.integer(0, MAX_ID)];
    return {
      match: {
        paths: rule.member('paths').items().map(parsePattern),
        ...(kinds === undefined ? {} : { kinds }),
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      },
      ...(set === undefined ? { remove: true } : { set: parseChange(set) }),
      isOptional: rule.optional('optional')?.boolean() ?? false,
    };
  });
}

function parsePattern(node: RecipeNode): string {
  const pattern = node.text();
  try {
    compileGlob(pattern);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    node.refuse(error.message);
  }
  return pattern;
}

function parseChange(node: RecipeNode): TreeRuleChange {
  node.allow('uid', 'gid', 'mode', 'add-mode', 'remove-mode', 'mtime', 'xattrs');
  const values = {
    uid: node.optional('uid')?.integer(0, MAX_ID),
    gid: node.optional('gid')?.integer(0, MAX_ID),
    mode: node.optional('mode')?.permissions(),
    addMode: node.optional('add-mode')?.permissions(),
    removeMode: node.optional('remove-mode')?.permissions(),
    mtimeSeconds: node.optional('mtime')?.integer(0, Number.MAX_SAFE_INTEGER),
  };
  const xattrs = node.optional('xattrs');
  if (xattrs === undefined && Object.values(values).every((value) => value === undefined))
    node.refuse('expected something to set');
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as TreeRuleChange;
  return xattrs === undefined ? given : { ...given, xattrs: parseXattrs(xattrs) };
}

/** Text, or `hex:` and digits; nothing removes the attribute. */
function parseXattrs(node: RecipeNode): Record<string, Uint8Array | null> {
  return Object.fromEntries(
    node.members().map(([name, value]): [string, Uint8Array | null] => {
      if (!/^(user|trusted|security|system)\.[^\0]+$/.test(name)) {
        value.refuse('expected an extended attribute of user, trusted, security or system');
      }
      if (value.isNothing) return [name, null];
      const text = value.text();
      if (!text.startsWith('hex:')) return [name, utf8(text)];
      const digits = text.slice(4);
      if (!/^([0-9a-f]{2})+$/.test(digits)) value.refuse('expected pairs of lower-case hexadecimal digits behind hex:');
      return [name, parseHex(digits)];
    }),
  );
}
