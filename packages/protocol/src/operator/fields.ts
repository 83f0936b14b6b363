// SPDX-License-Identifier: Apache-2.0
import Type, { type TSchema } from 'typebox';
import { strict } from '../fields.ts';

/** Ids that the service gives: base64url of random octets. */
export const recordId = Type.String({ pattern: '^[A-Za-z0-9_-]{8,64}$' });

/** Words of an operator's for other operators; may hold anything printable. */
export const label = Type.String({ maxLength: 256 });

/** Texts that came from certificates, logs and manifests: escape them where they are shown. */
export const foreignText = Type.String({ maxLength: 1024 });

/** A page of a list; `next` goes into `after` of the next request. */
export const page = <S extends TSchema>(item: S) =>
  Type.Object(
    { items: Type.Array(item, { maxItems: 1000 }), next: Type.Optional(Type.String({ maxLength: 256 })) },
    strict,
  );
