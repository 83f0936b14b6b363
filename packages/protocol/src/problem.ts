// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';

/** RFC 9457, application/problem+json: every answer that is not a success. */
export const problem = Type.Object(
  {
    /** A URN of the code, as the RFC wants a URI. */
    type: Type.String({ maxLength: 256 }),
    title: Type.String({ maxLength: 256 }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    /** What programs look at: a code of the service's table. */
    code: Type.String({ pattern: '^[a-z][a-z0-9_]*$', maxLength: 64 }),
    /** What was expected, what was found, what to do; never a secret. */
    detail: Type.Optional(Type.String({ maxLength: 4096 })),
    /** Where in the request, as a JSON pointer. */
    pointer: Type.Optional(Type.String({ maxLength: 1024 })),
    /** Of the request, to find it in the service's log. */
    requestId: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: true },
);
export type Problem = Static<typeof problem>;
