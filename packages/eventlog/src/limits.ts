// SPDX-License-Identifier: Apache-2.0
/** Bounds on a log from outside. Data and digests are views, so that they bound time, not memory. */
export interface LogLimits {
  /** Events in all. */
  readonly maxEvents: number;
  /** Octets of one event's data. */
  readonly maxEventBytes: number;
}

/** A firmware log has some hundred events; the largest data seen are a dbx and ACPI tables, below 1 MiB. */
export const TCG_LIMITS: LogLimits = { maxEvents: 16_384, maxEventBytes: 4 * 1024 * 1024 };

/** A machine that runs for months under a broad IMA policy has some hundred thousand entries; each takes some 300 octets. */
export const IMA_LIMITS: LogLimits = { maxEvents: 1_000_000, maxEventBytes: 1024 * 1024 };

/** systemd makes some ten records a boot, and one for each volume or image that is opened. */
export const USERSPACE_LIMITS: LogLimits = { maxEvents: 65_536, maxEventBytes: 1024 * 1024 };

/** A canonical log holds all of the others. */
export const CEL_LIMITS: LogLimits = { maxEvents: 1_000_000, maxEventBytes: 4 * 1024 * 1024 };
