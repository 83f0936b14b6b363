// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../facts.ts';
import type { VerdictStatus } from '../status.ts';

/**
 * The trustworthiness vector of draft-ietf-rats-ar4si-09, section 2.3: what is not claimed is left out, which stands for 0.
 * Values below 32 affirm, below 96 warn, others contraindicate.
 */
export interface TrustVector {
  readonly 'instance-identity'?: number;
  readonly configuration?: number;
  readonly executables?: number;
  readonly 'file-system'?: number;
  readonly hardware?: number;
  readonly 'runtime-opaque'?: number;
  readonly 'storage-opaque'?: number;
  readonly 'sourced-data'?: number;
}

/** draft-ietf-rats-ar4si-09, sections 2.3.3 (common values) and 2.3.4 (each claim). */
const VALUE = {
  cryptographicFailure: 99,
  trustworthyInstance: 2,
  approvedConfiguration: 2,
  unavailableConfiguration: 36,
  unsupportableConfiguration: 96,
  approvedRuntime: 2,
  approvedBoot: 3,
  unrecognizedRuntime: 33,
  contraindicatedRuntime: 96,
  approvedFiles: 2,
  unrecognizedFiles: 32,
  contraindicatedFiles: 96,
  genuineHardware: 2,
  contraindicatedHardware: 96,
  unrecognizedHardware: 97,
} as const;

/**
 * The vector of some facts. Memory, storage and sourced data are nothing that a TPM's quote tells of: no claim. The verdict's
 * status is never above the worst of the vector (draft-ietf-rats-ear-04, section 3.1): where a policy permits something that
 * the vector warns of, the status is at most a warning; see `statusWithin`.
 */
export function trustVectorOf(facts: Facts, status: VerdictStatus): TrustVector {
  const isRefused = status === 'contraindicated';
  if (!facts.quote.isGood) return { 'instance-identity': VALUE.cryptographicFailure };
  if (!facts.log.isGood) {
    return { 'instance-identity': VALUE.trustworthyInstance, executables: VALUE.contraindicatedRuntime };
  }
  const fileSystem = fileSystemOf(facts);
  const hardware = hardwareOf(facts, isRefused);
  return {
    'instance-identity': facts.clock.isConsistent ? VALUE.trustworthyInstance : 96,
    configuration: configurationOf(facts, isRefused),
    executables: executablesOf(facts, isRefused),
    ...(fileSystem === undefined ? {} : { 'file-system': fileSystem }),
    ...(hardware === undefined ? {} : { hardware }),
  };
}

function configurationOf({ secureBoot, firmware, image }: Facts, isRefused: boolean): number {
  const isApproved = secureBoot.isOn && !secureBoot.hasMok && secureBoot.isSbatCurrent && secureBoot.isDbxCurrent;
  if (isApproved && firmware.isKnown && image.uncovered.length === 0) return VALUE.approvedConfiguration;
  return isRefused && !secureBoot.isOn ? VALUE.unsupportableConfiguration : VALUE.unavailableConfiguration;
}

function executablesOf({ image, runtime, secureBoot }: Facts, isRefused: boolean): number {
  const isBootGood = image.isKnown && image.isAboveFloor && (image.life === 'active' || image.life === 'retiring');
  if (!isBootGood || secureBoot.hasRevokedPrograms || runtime.deniedFiles > 0) return VALUE.contraindicatedRuntime;
  if (!runtime.isMeasured) return VALUE.approvedBoot;
  if (runtime.unknownFiles > 0 || runtime.unknownEntries > 0 || runtime.violations > 0 || !runtime.isAppraised) {
    return isRefused ? VALUE.contraindicatedRuntime : VALUE.unrecognizedRuntime;
  }
  return VALUE.approvedRuntime;
}

/** Without IMA nothing is told of files, but what dm-verity says by way of the command line. */
function fileSystemOf({ runtime }: Facts): number | undefined {
  if (!runtime.isVerityIntact && runtime.isMeasured) return VALUE.contraindicatedFiles;
  if (!runtime.isMeasured || !runtime.isAppraised) return undefined;
  if (runtime.deniedFiles > 0) return VALUE.contraindicatedFiles;
  return runtime.unknownFiles > 0 || runtime.violations > 0 ? VALUE.unrecognizedFiles : VALUE.approvedFiles;
}

function hardwareOf({ identity, firmware }: Facts, isRefused: boolean): number | undefined {
  if (!identity.isEkTrusted) return isRefused ? VALUE.unrecognizedHardware : undefined;
  return firmware.isKnown ? VALUE.genuineHardware : undefined;
}

const FIRST_WARNING = 32;
const FIRST_CONTRAINDICATION = 96;

/** The best status that a vector allows. */
export function statusWithin(vector: TrustVector): VerdictStatus {
  const worst = Math.max(0, ...Object.values(vector).filter((value) => value !== undefined));
  if (worst >= FIRST_CONTRAINDICATION) return 'contraindicated';
  return worst >= FIRST_WARNING ? 'warning' : 'affirming';
}
