// SPDX-License-Identifier: Apache-2.0

/**
 * What policies may ask about: `Facts`, as a Cedar schema. A policy is checked against it before it is used, so that a
 * misspelt fact is an error at once and not a condition that is never met.
 *
 * `trust`: is this boot to be trusted. `release`: may this secret go to the machine, once it is trusted.
 */
export const POLICY_SCHEMA = `
entity Machine;
entity Service;
entity Secret;

type Facts = {
  quote: { isGood: Bool, bank: String },
  clock: { since: String, isConsistent: Bool },
  identity: {
    isEkTrusted: Bool, isPlatformTrusted: Bool, joinedBy: String,
    tpmManufacturer: String, tpmModel: String, platformManufacturer: String, platformModel: String,
    labels: Set<String>,
  },
  log: { isGood: Bool },
  image: {
    isKnown: Bool, name: String, version: String, life: String, isAboveFloor: Bool,
    phase: String, isPhaseLogged: Bool, uncovered: Set<Long>,
  },
  firmware: { isKnown: Bool, baseline: String, version: String },
  secureBoot: {
    isOn: Bool,
    variables: { PK: String, KEK: String, db: String, dbx: String },
    authorities: Set<String>,
    sbatLevel: String, isSbatCurrent: Bool, isDbxCurrent: Bool, hasMok: Bool, hasRevokedPrograms: Bool,
  },
  runtime: {
    isMeasured: Bool, isAppraised: Bool, isAggregateGood: Bool,
    entries: Long, unknownFiles: Long, signedFiles: Long, deniedFiles: Long, violations: Long, unknownEntries: Long,
    verityDevices: Long, isVerityIntact: Bool,
  },
  system: { isMeasured: Bool, isPinned: Bool },
  launch: { state: String, isKnown: Bool, name: String },
  history: { hasFailed: Bool },
  findings: { errors: Long, warnings: Long, codes: Set<String> },
};

action trust appliesTo { principal: [Machine], resource: [Service], context: Facts };
action release appliesTo { principal: [Machine], resource: [Secret], context: Facts };
`;
