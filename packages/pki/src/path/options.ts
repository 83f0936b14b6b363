// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm, EcCurve } from '@vouchsafe/crypto';
import type { KeySource } from '../public-key.ts';
import type { Certificate } from '../x509/certificate.ts';

/** What is trusted, and for what. Nothing comes from a clock, a file or the network. */
export interface PathOptions {
  /** Certificates that are trusted to issue: their own signature is not looked at, all else is. */
  readonly anchors: readonly Certificate[];
  /** Certificates that may stand between; nobody has to trust them. */
  readonly intermediates: readonly Certificate[];
  /** The time at which all must be valid: milliseconds since 1970, UTC. */
  readonly atMs: number;
  /** An extended key usage that the certificate must name, and that no authority on the way may exclude. */
  readonly purpose?: string;
  /** Take what is past its end as a remark instead of a problem: hardware outlives its certificates. */
  readonly acceptExpired?: boolean;
  /** Critical extensions, by object identifier, that the caller itself looks at in the certificate asked about. */
  readonly knownCritical?: readonly string[];
  /** Digests that signatures may be over. SHA-2 with 256 bits or more when left out. */
  readonly digests?: readonly DigestAlgorithm[];
  /** Bits of the shortest RSA modulus; 2048 when left out. */
  readonly minRsaBits?: number;
  /** All of P-256, P-384 and P-521 when left out. */
  readonly curves?: readonly EcCurve[];
  readonly keys?: KeySource;
}
