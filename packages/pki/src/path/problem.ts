// SPDX-License-Identifier: Apache-2.0
import type { Certificate } from '../x509/certificate.ts';

/** Why a certificate is not believed. A failed check is a value: whoever asked decides what follows. */
export type PathProblemCode =
  | 'issuer_missing' // no certificate given has the issuer's name and key
  | 'signature_invalid' // certificates with the issuer's name are there, but none of their keys signed
  | 'not_yet_valid'
  | 'expired'
  | 'not_an_authority' // issued a certificate without being allowed to
  | 'path_length' // more authorities below it than it allows
  | 'purpose_missing' // not for the purpose asked for
  | 'extension_unknown' // a critical extension that nothing here understands
  | 'constraint_unsupported' // limits what may be below it in a way that is not checked here
  | 'algorithm_weak' // signed over a digest that is not accepted
  | 'key_weak' // too short, of a curve that is not accepted, or unreadable
  | 'search_limit'; // so many certificates of one name that the search was given up

/** One reason, at one certificate of the path. */
export interface PathProblem {
  readonly code: PathProblemCode;
  /** The certificate that it is about; for 'issuer_missing' the one whose issuer is. */
  readonly certificate: Certificate;
  /** Its place, from 0 for the certificate asked about up to the trust anchor. */
  readonly depth: number;
  /** What was expected and what was found. */
  readonly message: string;
}
