// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, deviceId, sha256Hex, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';
import { foreignText, page, recordId } from './fields.ts';

/** What a certificate is trusted for: TPMs, platforms, manifests. None serves for another. */
export const trustRole = Type.Enum(['tpm-maker', 'platform-maker', 'manifest-signer']);
export type TrustRole = Static<typeof trustRole>;

export const trustAnchor = Type.Object(
  { sha256: sha256Hex, role: trustRole, subject: foreignText, notAfterMs: timeMs, addedAtMs: timeMs },
  strict,
);
export type TrustAnchorRecord = Static<typeof trustAnchor>;
export const trustAnchors = page(trustAnchor);
export type TrustAnchors = Static<typeof trustAnchors>;

/** `POST /v1/trust`. */
export const addTrust = Type.Object(
  {
    role: trustRole,
    /** DER. */
    certificates: Type.Array(base64url(WIRE_LIMITS.certificateBytes, 1), { minItems: 1, maxItems: 1000 }),
  },
  strict,
);
export type AddTrust = Static<typeof addTrust>;

const inventoryKind = Type.Enum(['ek-certificate', 'ek-key', 'platform-certificate']);

/** A machine that may join because it was registered beforehand. */
export const inventoryEntry = Type.Object(
  {
    id: recordId,
    deviceId,
    kind: inventoryKind,
    /** Of the certificate, or of the endorsement key's SubjectPublicKeyInfo. */
    sha256: sha256Hex,
    addedAtMs: timeMs,
  },
  strict,
);
export type InventoryEntry = Static<typeof inventoryEntry>;
export const inventoryEntries = page(inventoryEntry);
export type InventoryEntries = Static<typeof inventoryEntries>;

/** `POST /v1/inventory`. */
export const addInventory = Type.Object({ deviceId, kind: inventoryKind, sha256: sha256Hex }, strict);
export type AddInventory = Static<typeof addInventory>;
