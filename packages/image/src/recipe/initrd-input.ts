// SPDX-License-Identifier: Apache-2.0
import type { RecipeNode } from './recipe-node.ts';

/** An initrd: files that are there already, or one that is made. */
export type InitrdInput = { readonly kind: 'files'; readonly paths: readonly string[] } | MadeInitrdInput;

export interface MadeInitrdInput {
  readonly kind: 'made';
  /** By name; their dependencies come with them. */
  readonly modules: readonly string[] | undefined;
  /** Where programs come from: an unpacked system, or this machine's own. */
  readonly system: string | undefined;
  readonly busybox: string | undefined;
  readonly dmsetup: string | undefined;
  /** The initrd opens only what is signed by the certificate of the recipe's keys. */
  readonly isSignatureRequired: boolean;
}

/**
 * The recipe's `initrd`: `files`, or what one is made of.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseInitrdInput(node: RecipeNode | undefined): InitrdInput {
  const files = node?.optional('files');
  if (files !== undefined) {
    node?.allow('files');
    return { kind: 'files', paths: files.items().map((item) => item.text()) };
  }
  node?.allow('files', 'modules', 'system', 'busybox', 'dmsetup', 'root-hash-signature');
  return {
    kind: 'made',
    modules: node
      ?.optional('modules')
      ?.items()
      .map((item) => item.text()),
    system: node?.optional('system')?.text(),
    busybox: node?.optional('busybox')?.text(),
    dmsetup: node?.optional('dmsetup')?.text(),
    isSignatureRequired: node?.optional('root-hash-signature')?.oneOf('required', 'ignored') === 'required',
  };
}

/** Boot phase paths that an initrd which is made goes through. */
const MADE_INITRD_PHASES: readonly string[] = ['enter-initrd', 'enter-initrd:leave-initrd'];

/** What such an initrd has gone through when it hands over. */
const BEFORE_ROOT = 'enter-initrd:leave-initrd';

/**
 * The recipe's `phases`: what initrd and root extend into PCR 11, all of it. What an initrd that is made extends comes first,
 * and a path that leaves it out would be one that no boot goes through.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parsePhases(node: RecipeNode | undefined, initrd: InitrdInput): readonly string[] {
  const given = node?.items() ?? [];
  if (initrd.kind === 'files') return given.map((phase) => phase.text());
  const paths = given.map((phase) => {
    const path = phase.text();
    if (!MADE_INITRD_PHASES.includes(path) && !path.startsWith(`${BEFORE_ROOT}:`)) {
      phase.refuse(`expected a path that begins with ${BEFORE_ROOT}:, which the initrd extends`);
    }
    return path;
  });
  return [...new Set([...MADE_INITRD_PHASES, ...paths])];
}
