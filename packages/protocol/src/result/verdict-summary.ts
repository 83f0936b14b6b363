// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { sha256Hex, strict, timeMs } from '../fields.ts';
import { wireFinding } from './finding.ts';

/** The tiers of draft-ietf-rats-ar4si. */
const verdictStatus = Type.Enum(['affirming', 'warning', 'contraindicated']);
export type WireVerdictStatus = Static<typeof verdictStatus>;

const named = Type.Object({ name: Type.String({ maxLength: 256 }), sha256: sha256Hex }, strict);

/** A verdict and its reasons, as machines, operators and the dashboard see it. */
export const verdictSummary = Type.Object(
  {
    status: verdictStatus,
    /** Granted: what the policy decided of the facts. Never without `affirming`, or a policy that takes warnings by name. */
    isTrusted: Type.Boolean(),
    atMs: timeMs,
    /** The image that was booted, when one was recognised. */
    image: Type.Optional(
      Type.Object({ name: Type.String({ maxLength: 128 }), version: Type.String({ maxLength: 128 }) }, strict),
    ),
    findings: Type.Array(wireFinding, { maxItems: 512 }),
    /** Each reference and policy that was used, with its digest: they may change afterwards. */
    references: Type.Array(named, { maxItems: 64 }),
    policy: named,
  },
  strict,
);
export type VerdictSummary = Static<typeof verdictSummary>;
