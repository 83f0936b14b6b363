// SPDX-License-Identifier: Apache-2.0
import { enrolmentRequest, grantedCertificate, serviceUrl } from '@vouchsafe/protocol';
import { type Static, Type } from 'typebox';
import { machineKeys } from '../machine-tpm.ts';

const strict = { additionalProperties: false } as const;
const { joining, proposedId } = enrolmentRequest.properties;
const octets = (maxLength: number) => Type.String({ pattern: '^[A-Za-z0-9_-]*$', maxLength });

/** Where the service is, and whom its TLS certificate must come from. */
export const serverState = Type.Object(
  {
    url: serviceUrl,
    /** PEM of the only certificate that the service's chain may lead to; absent until it was seen once, and fitted the pin. */
    caPem: Type.Optional(Type.String({ maxLength: 65536 })),
    /** SHA-256 over its SubjectPublicKeyInfo, hexadecimal. */
    caSha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  },
  strict,
);
export type ServerState = Static<typeof serverState>;

/** Under way: what it takes to go on after a crash, without a second token and without other keys. */
const pending = Type.Object(
  {
    state: Type.Literal('pending'),
    joining,
    proposedId,
    /** Absent until the service has answered. */
    challenge: Type.Optional(
      Type.Object(
        {
          enrolmentId: Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 64 }),
          idObject: octets(1024),
          encryptedSecret: octets(2048),
          template: Type.String({ maxLength: 8 }),
          endorsementArea: octets(8192),
        },
        strict,
      ),
    ),
  },
  strict,
);

const enrolled = Type.Object(
  {
    state: Type.Literal('enrolled'),
    deviceId: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' }),
    /** DER, base64url. */
    attestationCertificates: Type.Array(octets(131072), { maxItems: 16 }),
  },
  strict,
);

/** All that the agent keeps, in one file: it changes as a whole, so that no crash leaves parts that do not fit together. */
export const agentState = Type.Object(
  {
    version: Type.Literal(1),
    server: serverState,
    keys: machineKeys,
    enrolment: Type.Union([pending, enrolled]),
    /** The boot in which evidence was accepted last: an offset of the service's counts only within it. */
    bootId: Type.Optional(Type.String({ maxLength: 64 })),
    certificate: Type.Optional(grantedCertificate),
  },
  strict,
);
export type AgentState = Static<typeof agentState>;
export type PendingEnrolment = Static<typeof pending>;
export type EnrolledState = AgentState & { readonly enrolment: Static<typeof enrolled> };
