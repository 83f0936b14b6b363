// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { strict } from '../fields.ts';

const hash = Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' });
const size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** `GET /v1/audit/head`. */
export const auditHead = Type.Object(
  {
    /** The key that heads are signed with, as auditors keep it: 'NAME+ID+KEY' (C2SP signed-note). */
    key: Type.String({ maxLength: 512 }),
    /** Entries before this one are not kept any more. */
    first: size,
    size,
    /** The newest signed head (C2SP tlog-checkpoint); absent while the log is empty. */
    head: Type.Optional(Type.String({ maxLength: 4096 })),
  },
  strict,
);
export type AuditHead = Static<typeof auditHead>;

/** `GET /v1/audit/proof`: hashes in base64, as RFC 6962, 2.1, orders them. */
export const auditProof = Type.Object({ hashes: Type.Array(hash, { maxItems: 64 }) }, strict);
export type AuditProof = Static<typeof auditProof>;

const hashes = Type.Array(hash, { maxItems: 64 });

/** `GET /v1/devices/{id}/verdict-proof`: what `checkRecordProof` of @vouchsafe/audit takes. */
export const verdictProof = Type.Object(
  {
    /** The verdict, as it was hashed. */
    record: Type.String({ maxLength: 4096 }),
    /** Its place among those that the entry stands for, and the hashes beside its way to their root. */
    index: size,
    hashes,
    entry: Type.Object({ leaf: Type.String({ maxLength: 65_536 }), index: size, hashes }, strict),
    /** The signed head that the entry is under (C2SP tlog-checkpoint). */
    head: Type.String({ maxLength: 4096 }),
  },
  strict,
);
export type VerdictProof = Static<typeof verdictProof>;
