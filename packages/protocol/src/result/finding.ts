// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { strict } from '../fields.ts';

const text = (maxLength: number) => Type.String({ maxLength });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** `Finding` of the base package, as it travels. Texts may hold what an attacker wrote: escape them where they are shown. */
export const wireFinding = Type.Object(
  {
    code: text(64),
    severity: Type.Enum(['error', 'warning', 'info']),
    where: Type.Object(
      {
        artefact: text(1024),
        pcr: Type.Optional(count),
        bank: Type.Optional(text(16)),
        event: Type.Optional(count),
        path: Type.Optional(text(4096)),
        offset: Type.Optional(count),
        block: Type.Optional(count),
        blocks: Type.Optional(count),
      },
      strict,
    ),
    expected: Type.Optional(text(4096)),
    actual: Type.Optional(text(4096)),
    hint: text(4096),
  },
  strict,
);
export type WireFinding = Static<typeof wireFinding>;
