// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { AppraiseError } from '../error.ts';
import { sha256OfText } from '../references/prepare.ts';
import type { UsedReference } from '../references/reference-set.ts';
import type { CedarEngine, CedarError, CedarPolicyJson } from './engine.ts';
import { keepSet } from './kept-sets.ts';
import { POLICY_SCHEMA } from './schema.ts';

/** Policies are written by people. */
const MAX_BYTES = 256 * 1024;
const MAX_POLICIES = 256;

declare const prepared: unique symbol;

/** A set of Cedar policies that was read and checked. Made by `preparePolicy` alone. */
export interface PreparedPolicy extends UsedReference {
  readonly [prepared]: true;
  readonly engine: CedarEngine;
  /** Under which Cedar has the parsed set, for as long as this object is held. */
  readonly setName: string;
  /** The text names a machine; otherwise its decision is the same for all of them. */
  readonly asksForMachine: boolean;
  /** The text asks how many entries IMA's list has, which is another number each time. */
  readonly asksForEntries: boolean;
  /** By their @id, or their place in the text; for explaining decisions. */
  readonly policies: ReadonlyMap<string, CedarPolicyJson>;
}

/**
 * Reads policies and checks them against the facts that there are.
 * @param name by which verdicts name it.
 * @throws {AppraiseError} 'policy_malformed' with line and column; 'policy_empty' for a text without a policy.
 */
export function preparePolicy(engine: CedarEngine, name: string, text: string): PreparedPolicy {
  if (utf8(text).length > MAX_BYTES) {
    throw new AppraiseError('limit', `${name}: expected policies of at most ${MAX_BYTES} octets, found more`);
  }
  const parsed = engine.checkParsePolicySet({ staticPolicies: text });
  if (parsed.type === 'failure') throw malformed(name, text, parsed.errors);
  const parts = engine.policySetTextToParts(text);
  if (parts.type === 'failure') throw malformed(name, text, parts.errors);
  if (parts.policy_templates.length > 0) {
    throw new AppraiseError('policy_malformed', `${name}: expected policies, found a template (?principal, ?resource)`);
  }
  if (parts.policies.length === 0) {
    throw new AppraiseError(
      'policy_empty',
      `${name}: expected a policy, found none, so that nothing would be permitted`,
    );
  }
  if (parts.policies.length > MAX_POLICIES) {
    throw new AppraiseError(
      'limit',
      `${name}: expected at most ${MAX_POLICIES} policies, found ${parts.policies.length}`,
    );
  }
  const validated = engine.validate({ schema: POLICY_SCHEMA, policies: { staticPolicies: text } });
  const faults = validated.type === 'failure' ? validated.errors : validated.validationErrors.map(({ error }) => error);
  if (faults.length > 0) throw malformed(name, text, faults);
  const policies = namedPolicies(engine, name, parts.policies);
  const sha256 = sha256OfText(text);
  // As texts: JSON does not carry Cedar's numbers of 64 bits.
  const texts = Object.fromEntries([...policies.keys()].map((id, i) => [id, parts.policies[i] as string]));
  const asks = { asksForMachine: text.includes('Machine'), asksForEntries: text.includes('entries') };
  const kept = keepSet(
    engine,
    texts,
    (setName) => ({ name, sha256, engine, policies, setName, ...asks }) as unknown as PreparedPolicy,
  );
  if ('errors' in kept) throw malformed(name, text, kept.errors);
  return kept.holder;
}

function namedPolicies(engine: CedarEngine, name: string, texts: readonly string[]): Map<string, CedarPolicyJson> {
  const policies = new Map<string, CedarPolicyJson>();
  for (const [i, text] of texts.entries()) {
    const answer = engine.policyToJson(text);
    if (answer.type === 'failure') throw malformed(name, text, answer.errors);
    const id = answer.json.annotations?.['id'] ?? `policy ${i}`;
    if (policies.has(id)) {
      throw new AppraiseError('policy_malformed', `${name}: expected each @id once, found '${id}' twice`);
    }
    policies.set(id, answer.json);
  }
  return policies;
}

function malformed(name: string, text: string, errors: readonly CedarError[]): AppraiseError {
  const [first] = errors;
  const place = first?.sourceLocations?.[0];
  const where = place === undefined ? '' : `:${lineAndColumn(text, place.start)}`;
  const label = place?.label ? ` (${place.label})` : '';
  const help = first?.help ? `; ${first.help}` : '';
  return new AppraiseError(
    'policy_malformed',
    `${name}${where}: ${first?.message ?? 'it is no policy'}${label}${help}`,
  );
}

/** From 1, as editors count; the place is given in octets of UTF-8. */
function lineAndColumn(text: string, offset: number): string {
  const lines = parseUtf8(utf8(text).subarray(0, offset)).split('\n');
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}
