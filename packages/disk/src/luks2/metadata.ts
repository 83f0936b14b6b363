// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

/** Members of one of the JSON area's objects; cryptsetup takes 32 keyslots and 32 tokens. */
const MAX_MEMBERS = 32;

/** A JSON object that is not looked into here. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A token: what a program needs, besides itself, to open key slots. Specification, section 3.6. */
export interface Luks2Token extends JsonObject {
  readonly type: string;
  /** Numbers of the key slots that it opens. */
  readonly keyslots: readonly string[];
}

/** The five objects that a header has. LUKS2 On-Disk Format Specification 1.1, section 3. */
export interface Luks2Metadata extends JsonObject {
  readonly keyslots: Readonly<Record<string, JsonObject>>;
  readonly tokens: Readonly<Record<string, Luks2Token>>;
  readonly segments: JsonObject;
  readonly digests: JsonObject;
  readonly config: JsonObject;
}

/** @throws {DiskError} 'luks2_malformed' unless it has the members that every header has. */
export function requireMetadata(value: unknown, label: string): Luks2Metadata {
  const malformed = (message: string): DiskError => new DiskError('luks2_malformed', `${label}: JSON area: ${message}`);
  const object = (found: unknown, name: string): JsonObject => {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) {
      throw malformed(`expected an object as ${name}`);
    }
    return found as JsonObject;
  };
  const root = object(value, 'the whole');
  for (const name of ['segments', 'digests', 'config']) object(root[name], name);
  for (const name of ['keyslots', 'tokens']) {
    const members = object(root[name], name);
    const numbers = Object.keys(members);
    if (numbers.length > MAX_MEMBERS)
      throw malformed(`expected at most ${MAX_MEMBERS} ${name}, found ${numbers.length}`);
    for (const number of numbers) {
      // Section 3.1: names of these objects are decimal numbers. It also keeps `__proto__` out of them.
      if (!/^(0|[1-9][0-9]?)$/.test(number)) throw malformed(`expected a number as name in ${name}`);
      object(members[number], `${name}.${number}`);
    }
  }
  const tokens = root['tokens'] as Readonly<Record<string, JsonObject>>;
  for (const [number, { type, keyslots }] of Object.entries(tokens)) requireToken(number, type, keyslots, malformed);
  return root as Luks2Metadata;
}

function requireToken(
  number: string,
  type: unknown,
  keyslots: unknown,
  malformed: (message: string) => DiskError,
): void {
  if (typeof type !== 'string') throw malformed(`expected a type in tokens.${number}`);
  const isList = Array.isArray(keyslots) && keyslots.length <= MAX_MEMBERS;
  if (!isList || keyslots.some((slot) => typeof slot !== 'string')) {
    throw malformed(`expected a list of at most ${MAX_MEMBERS} numbers as tokens.${number}.keyslots`);
  }
}
