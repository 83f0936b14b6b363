// SPDX-License-Identifier: Apache-2.0
import type { RecipeNode } from './recipe-node.ts';

/** What the kernel is told to measure of the files that are used, into PCR 10. */
export interface ImaInput {
  /** Built into the kernel. */
  readonly policies: readonly string[];
  readonly template: string;
}

/** Linux, security/integrity/ima/ima_policy.c (policy_setup): those that measure, and need no keys. */
const POLICIES = ['tcb', 'critical_data'] as const;
/** Linux, Documentation/security/IMA-templates.rst: those that have a path and a digest with the name of its algorithm. */
const TEMPLATES = ['ima-ng', 'ima-ngv2', 'ima-sig', 'ima-sigv2', 'ima-modsig'] as const;

/** @throws {ImageError} 'recipe_invalid' */
export function parseIma(node: RecipeNode | undefined): ImaInput | undefined {
  if (node === undefined) return undefined;
  node.allow('policy', 'template');
  const list = node.member('policy');
  const policies = list.items().map((item) => item.oneOf(...POLICIES));
  if (policies.length === 0 || new Set(policies).size !== policies.length) {
    list.refuse(`expected ${POLICIES.join(' or ')}, or both`);
  }
  return { policies, template: node.optional('template')?.oneOf(...TEMPLATES) ?? 'ima-ng' };
}

/**
 * What says so on the kernel's command line, where it is measured itself (PCR 11 and 9). Digests are SHA-256, as the lists of
 * files beside the manifest have them. Linux, Documentation/admin-guide/kernel-parameters.txt.
 */
export function imaParameters({ policies, template }: ImaInput): string[] {
  return [`ima_policy=${policies.join('|')}`, `ima_template=${template}`, 'ima_hash=sha256'];
}
