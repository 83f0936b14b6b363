// SPDX-License-Identifier: Apache-2.0
import { TCG_EVENT_TYPES } from '../tcg/event-type.ts';

/**
 * Types of the events that a dynamic launch logs. Intel TXT Software Development Guide, appendix F (TPM Event Log);
 * Linux Secure Launch, include/linux/slaunch.h, for the last three.
 */
export const DRTM_EVENT_TYPES = {
  ...TCG_EVENT_TYPES,
  EVTYPE_PCRMAPPING: 0x401,
  EVTYPE_HASH_START: 0x402,
  EVTYPE_COMBINED_HASH: 0x403,
  EVTYPE_MLE_HASH: 0x404,
  EVTYPE_BIOSAC_REG_DATA: 0x40a,
  EVTYPE_CPU_SCRTM_STAT: 0x40b,
  EVTYPE_LCP_CONTROL_HASH: 0x40c,
  EVTYPE_ELEMENTS_HASH: 0x40d,
  EVTYPE_STM_HASH: 0x40e,
  EVTYPE_OSSINITDATA_CAP_HASH: 0x40f,
  EVTYPE_SINIT_PUBKEY_HASH: 0x410,
  EVTYPE_LCP_HASH: 0x411,
  EVTYPE_LCP_DETAILS_HASH: 0x412,
  EVTYPE_LCP_AUTHORITIES_HASH: 0x413,
  EVTYPE_NV_INFO_HASH: 0x414,
  EVTYPE_COLD_BOOT_BIOS_HASH: 0x415,
  EVTYPE_KM_HASH: 0x416,
  EVTYPE_BPM_HASH: 0x417,
  EVTYPE_KM_INFO_HASH: 0x418,
  EVTYPE_BPM_INFO_HASH: 0x419,
  EVTYPE_BOOT_POL_HASH: 0x41a,
  EVTYPE_RANDVAL: 0x4fe,
  EVTYPE_CAP_VALUE: 0x4ff,
  TXT_EVTYPE_SLAUNCH: 0x502,
  TXT_EVTYPE_SLAUNCH_START: 0x503,
  TXT_EVTYPE_SLAUNCH_END: 0x504,
} as const;
export type DrtmEventType = keyof typeof DRTM_EVENT_TYPES;

/** Events that tell of the log itself, and were not extended. */
export const UNMEASURED_LAUNCH_TYPES: ReadonlySet<string | number> = new Set([
  'EVTYPE_PCRMAPPING',
  'TXT_EVTYPE_SLAUNCH_START',
  'TXT_EVTYPE_SLAUNCH_END',
]);
