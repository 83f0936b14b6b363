// SPDX-License-Identifier: Apache-2.0

/** CRLReason with its numbers; 7 is not used. RFC 5280, 5.3.1. */
export const CRL_REASON_NUMBERS = [
  ['unspecified', 0],
  ['keyCompromise', 1],
  ['cACompromise', 2],
  ['affiliationChanged', 3],
  ['superseded', 4],
  ['cessationOfOperation', 5],
  ['certificateHold', 6],
  ['removeFromCRL', 8],
  ['privilegeWithdrawn', 9],
  ['aACompromise', 10],
] as const;

export type CrlReason = (typeof CRL_REASON_NUMBERS)[number][0];
