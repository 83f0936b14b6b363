// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, list, openFlags, rest, select, sized, struct, u8, u32be } from '@vouchsafe/codec';
import { tpmAlgId } from './algorithm.ts';
import { tpmtHa } from './ha.ts';
import { tpmlHandle } from './handle.ts';
import { tpmlPcrSelection } from './pcr.ts';
import { tpmEccCurve } from './public.ts';

/** TPM_CAP. TPM 2.0 Library, Part 2, section 6.12. */
const TPM_CAP = {
  algs: 0,
  handles: 1,
  commands: 2,
  ppCommands: 3,
  auditCommands: 4,
  pcrs: 5,
  tpmProperties: 6,
  pcrProperties: 7,
  eccCurves: 8,
  authPolicies: 9,
  vendor: 0x100,
} as const;
export const tpmCap = enumOf(u32be, TPM_CAP);

/** Items in one answer at most: MAX_CAP_BUFFER is 1,024 octets. Part 2, section 6.2 and the lists of section 10.9. */
const MAX_CAP_BYTES = 1024;
const MAX_OF = (itemBytes: number): number => Math.floor(MAX_CAP_BYTES / itemBytes);

/** TPMA_ALGORITHM. Part 2, section 8.2. */
const tpmaAlgorithm = openFlags(u32be, {
  asymmetric: 0,
  symmetric: 1,
  hash: 2,
  object: 3,
  signing: 8,
  encrypting: 9,
  method: 10,
});

/** Part 2, section 10.8.1. */
const tpmsAlgProperty = struct('TPMS_ALG_PROPERTY', { alg: tpmAlgId, algProperties: tpmaAlgorithm });
/** Part 2, section 10.8.2. */
const tpmsTaggedProperty = struct('TPMS_TAGGED_PROPERTY', { property: [u32be, 'TPM_PT'], value: u32be });
/** Part 2, section 10.8.3. */
const tpmsTaggedPcrSelect = struct('TPMS_TAGGED_PCR_SELECT', {
  tag: [u32be, 'TPM_PT_PCR'],
  pcrSelect: sized(u8, rest, 4),
});
/** Part 2, section 10.8.4. */
const tpmsTaggedPolicy = struct('TPMS_TAGGED_POLICY', { handle: u32be, policyHash: tpmtHa });

/** TPMS_CAPABILITY_DATA. TPM 2.0 Library, Part 2, section 10.10.2. */
export const tpmsCapabilityData = struct('TPMS_CAPABILITY_DATA', {
  capability: [tpmCap, 'selects data'],
  data: select('capability', {
    algs: list(u32be, tpmsAlgProperty, MAX_OF(6)),
    handles: tpmlHandle,
    /** TPMA_CC. Part 2, section 8.9. */
    commands: list(u32be, u32be, MAX_OF(4)),
    ppCommands: list(u32be, u32be, MAX_OF(4)),
    auditCommands: list(u32be, u32be, MAX_OF(4)),
    pcrs: tpmlPcrSelection,
    tpmProperties: list(u32be, tpmsTaggedProperty, MAX_OF(8)),
    pcrProperties: list(u32be, tpmsTaggedPcrSelect, MAX_OF(6)),
    eccCurves: list(u32be, tpmEccCurve, MAX_OF(2)),
    authPolicies: list(u32be, tpmsTaggedPolicy, MAX_OF(8)),
    vendor: rest,
  }),
});
export type TpmsCapabilityData = Infer<typeof tpmsCapabilityData>;

/** TPM_PT. TPM 2.0 Library, Part 2, section 6.13. */
export const TPM_PT = {
  familyIndicator: 0x100,
  level: 0x101,
  revision: 0x102,
  dayOfYear: 0x103,
  year: 0x104,
  manufacturer: 0x105,
  vendorString1: 0x106,
  vendorString2: 0x107,
  vendorString3: 0x108,
  vendorString4: 0x109,
  vendorTpmType: 0x10a,
  firmwareVersion1: 0x10b,
  firmwareVersion2: 0x10c,
  inputBuffer: 0x10d,
  hrTransientMin: 0x10e,
  hrPersistentMin: 0x10f,
  hrLoadedMin: 0x110,
  activeSessionsMax: 0x111,
  pcrCount: 0x112,
  pcrSelectMin: 0x113,
  contextGapMax: 0x114,
  nvCountersMax: 0x116,
  nvIndexMax: 0x117,
  memory: 0x118,
  clockUpdate: 0x119,
  contextHash: 0x11a,
  contextSym: 0x11b,
  contextSymSize: 0x11c,
  orderlyCount: 0x11d,
  maxCommandSize: 0x11e,
  maxResponseSize: 0x11f,
  maxDigest: 0x120,
  maxObjectContext: 0x121,
  maxSessionContext: 0x122,
  psFamilyIndicator: 0x123,
  psLevel: 0x124,
  psRevision: 0x125,
  psDayOfYear: 0x126,
  psYear: 0x127,
  splitMax: 0x128,
  totalCommands: 0x129,
  libraryCommands: 0x12a,
  vendorCommands: 0x12b,
  nvBufferMax: 0x12c,
  modes: 0x12d,
  maxCapBuffer: 0x12e,
  permanent: 0x200,
  startupClear: 0x201,
  hrNvIndex: 0x202,
  hrLoaded: 0x203,
  hrLoadedAvail: 0x204,
  hrActive: 0x205,
  hrActiveAvail: 0x206,
  hrTransientAvail: 0x207,
  hrPersistent: 0x208,
  hrPersistentAvail: 0x209,
  nvCounters: 0x20a,
  nvCountersAvail: 0x20b,
  algorithmSet: 0x20c,
  loadedCurves: 0x20d,
  lockoutCounter: 0x20e,
  maxAuthFail: 0x20f,
  lockoutInterval: 0x210,
  lockoutRecovery: 0x211,
  nvWriteRecovery: 0x212,
  auditCounter0: 0x213,
  auditCounter1: 0x214,
} as const;
export type TpmProperty = keyof typeof TPM_PT;
