// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, sha256Hex, strict, timeMs } from '../fields.ts';
import { foreignText, page } from './fields.ts';

/** Octets of a manifest's envelope at most; base64 of a manifest of 4 MiB. */
const ENVELOPE_BYTES = 6 * 1024 * 1024;
/** A list of 60,000 files. */
const PART_BYTES = 11 * 1024 * 1024;

const referenceLife = Type.Enum(['candidate', 'active', 'retiring', 'revoked']);

/** An image that evidence may match. Only an active one, or one that retires later, does. */
export const imageReference = Type.Object(
  {
    /** Of the manifest, its canonical bytes. */
    sha256: sha256Hex,
    name: foreignText,
    version: foreignText,
    life: referenceLife,
    /** When a retiring one is no longer accepted. */
    retiresAtMs: Type.Optional(timeMs),
    addedAtMs: timeMs,
    /** What the manifest names beside itself, and whether it was given: without its lists of files IMA is not appraised. */
    parts: Type.Array(
      Type.Object({ sha256: sha256Hex, kind: foreignText, of: foreignText, isPresent: Type.Boolean() }, strict),
      { maxItems: 64 },
    ),
  },
  strict,
);
export type ImageReferenceRecord = Static<typeof imageReference>;
export const imageReferences = page(imageReference);
export type ImageReferences = Static<typeof imageReferences>;

/** `POST /v1/references`. The signature must hold under a trust anchor of the role manifest-signer. */
export const addReference = Type.Object(
  {
    /** DSSE envelope, as `image build` writes it. */
    envelope: base64url(ENVELOPE_BYTES, 1),
    life: Type.Optional(Type.Enum(['candidate', 'active'])),
  },
  strict,
);
export type AddReference = Static<typeof addReference>;

/** `PUT /v1/references/{sha256}/parts`: octets that the manifest names by their digest. */
export const addPart = Type.Object({ bytes: base64url(PART_BYTES, 1) }, strict);
export type AddPart = Static<typeof addPart>;

/** `POST /v1/references/{sha256}/retire`: until then it is accepted, so that a roll-out has a window. */
export const retireReference = Type.Object({ atMs: timeMs }, strict);
export type RetireReference = Static<typeof retireReference>;

/** By image name the oldest version that is allowed: `GET` and `PUT /v1/version-floors/{image}`. */
export const versionFloors = page(Type.Object({ image: foreignText, version: foreignText }, strict));
export type VersionFloors = Static<typeof versionFloors>;
export const putVersionFloor = Type.Object({ version: Type.String({ minLength: 1, maxLength: 128 }) }, strict);
export type PutVersionFloor = Static<typeof putVersionFloor>;
