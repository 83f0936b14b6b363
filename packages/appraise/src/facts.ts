// SPDX-License-Identifier: Apache-2.0
import type { ManifestLife } from './references/life.ts';

/** Who the machine is, as was found when it enrolled. Given by the caller; nothing of it is in the evidence. */
export interface IdentityFacts {
  /** A trusted maker has certified the endorsement key. */
  readonly isEkTrusted: boolean;
  /** A trusted maker has certified the platform that the endorsement key is in. */
  readonly isPlatformTrusted: boolean;
  /** How the machine was let in. */
  readonly joinedBy: 'token' | 'inventory' | 'approval' | 'unknown';
  /** Of the endorsement key's certificate; empty where there is none. */
  readonly tpmManufacturer: string;
  readonly tpmModel: string;
  /** Of the platform certificate, if it is trusted; else empty. */
  readonly platformManufacturer: string;
  readonly platformModel: string;
  /** What operators have put the machine under. */
  readonly labels: readonly string[];
}

/** A machine of which nothing is known but its attestation key. */
export const UNKNOWN_IDENTITY: IdentityFacts = {
  isEkTrusted: false,
  isPlatformTrusted: false,
  joinedBy: 'unknown',
  tpmManufacturer: '',
  tpmModel: '',
  platformManufacturer: '',
  platformModel: '',
  labels: [],
};

/** Against the attestation before this one. 'first' when there is none, 'unknown' without a good quote. */
export type ClockSince = 'first' | 'same' | 'resumed' | 'reset' | 'unsafe' | 'unknown';

/**
 * What is known of a machine, as policies see it. A fact that could not be established has the value that no strict policy
 * takes: false, empty, 'unknown'. Numbers are counts.
 */
export interface Facts {
  readonly quote: { readonly isGood: boolean; readonly bank: string };
  readonly clock: { readonly since: ClockSince; readonly isConsistent: boolean };
  readonly identity: IdentityFacts;
  /** The boot logs are well-formed and lead to the quoted PCRs. */
  readonly log: { readonly isGood: boolean };
  readonly image: {
    /** An image that is known boots just so: nothing besides, nothing missing. */
    readonly isKnown: boolean;
    readonly name: string;
    readonly version: string;
    readonly life: ManifestLife['state'] | 'retired' | 'unknown';
    readonly isAboveFloor: boolean;
    /** Boot phases gone through, joined by colons. */
    readonly phase: string;
    /** The log says so too; false when it was told from PCR 11 alone. */
    readonly isPhaseLogged: boolean;
    /** PCRs that an image decides, that were extended, and of which the manifest does not say all. */
    readonly uncovered: readonly number[];
  };
  readonly firmware: {
    /** An approved baseline has every event of PCR 0 to 3 and 6. */
    readonly isKnown: boolean;
    readonly baseline: string;
    /** As the firmware measures it (EV_S_CRTM_VERSION). */
    readonly version: string;
  };
  readonly secureBoot: {
    readonly isOn: boolean;
    /** By name, SHA-256 of the content, where its digest covers it. */
    readonly variables: Readonly<Record<'PK' | 'KEK' | 'db' | 'dbx', string>>;
    /** SHA-256 of each entry that let something start. */
    readonly authorities: readonly string[];
    /** Datestamp of the SBAT level; empty where none was measured. */
    readonly sbatLevel: string;
    readonly isSbatCurrent: boolean;
    readonly isDbxCurrent: boolean;
    /** Keys of the machine's owner were measured (MokList), or shim was told not to validate (MokSBState). */
    readonly hasMok: boolean;
    readonly hasRevokedPrograms: boolean;
  };
  readonly runtime: {
    /** The kernel measures files into PCR 10. */
    readonly isMeasured: boolean;
    /** Every entry so far was appraised, from the first on. */
    readonly isAppraised: boolean;
    readonly isAggregateGood: boolean;
    readonly entries: number;
    readonly unknownFiles: number;
    /** Files that no image has, and that a trusted key has signed. */
    readonly signedFiles: number;
    readonly deniedFiles: number;
    readonly violations: number;
    /** Entries that are no file of a kind that a rule knows, or cannot be read. */
    readonly unknownEntries: number;
    /** Verity devices with the image's root hash. */
    readonly verityDevices: number;
    readonly isVerityIntact: boolean;
  };
  readonly system: {
    /** Something identifies the system in PCR 15. */
    readonly isMeasured: boolean;
    /** It is what was pinned for this machine. */
    readonly isPinned: boolean;
  };
  readonly launch: {
    readonly state: 'none' | 'reset' | 'launched' | 'unquoted';
    readonly isKnown: boolean;
    readonly name: string;
  };
  readonly history: { readonly hasFailed: boolean };
  readonly findings: { readonly errors: number; readonly warnings: number; readonly codes: readonly string[] };
}

/** Nothing is known. */
export function unknownFacts(identity: IdentityFacts): Facts {
  return {
    quote: { isGood: false, bank: '' },
    clock: { since: 'unknown', isConsistent: false },
    identity,
    log: { isGood: false },
    image: {
      isKnown: false,
      name: '',
      version: '',
      life: 'unknown',
      isAboveFloor: false,
      phase: '',
      isPhaseLogged: false,
      uncovered: [],
    },
    firmware: { isKnown: false, baseline: '', version: '' },
    secureBoot: {
      isOn: false,
      variables: { PK: '', KEK: '', db: '', dbx: '' },
      authorities: [],
      sbatLevel: '',
      isSbatCurrent: false,
      isDbxCurrent: false,
      hasMok: false,
      hasRevokedPrograms: false,
    },
    runtime: {
      isMeasured: true,
      isAppraised: false,
      isAggregateGood: false,
      entries: 0,
      unknownFiles: 0,
      signedFiles: 0,
      deniedFiles: 0,
      violations: 0,
      unknownEntries: 0,
      verityDevices: 0,
      isVerityIntact: false,
    },
    system: { isMeasured: true, isPinned: false },
    launch: { state: 'unquoted', isKnown: false, name: '' },
    history: { hasFailed: false },
    findings: { errors: 0, warnings: 0, codes: [] },
  };
}
