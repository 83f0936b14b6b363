// SPDX-License-Identifier: Apache-2.0
import Type from 'typebox';

/** An EAR (draft-ietf-rats-ear) as a JWT in compact form, signed with ES256 by the service. */
export const earToken = Type.String({
  pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$',
  maxLength: 65536,
});
