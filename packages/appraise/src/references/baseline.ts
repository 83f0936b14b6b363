// SPDX-License-Identifier: Apache-2.0

/** PCRs of the machine: firmware, its settings, option ROMs. PFP 1.06, section 3.3.4. */
export const FIRMWARE_PCRS: readonly number[] = [0, 1, 2, 3, 6];

/** One event of a firmware. */
export interface BaselineEvent {
  readonly pcr: number;
  readonly description: string;
  /** Digests in lower-case hexadecimal, by bank. Any of those of a bank will do: settings that go to and fro. */
  readonly digests: Readonly<Record<string, readonly string[]>>;
  /** The event is there and may be anything: a boot entry with a serial number, say. */
  readonly isVariable?: boolean;
}

/**
 * What the firmware of machines of one model puts into PCR 0 to 3 and 6: learned from a machine and approved by an operator,
 * or imported. Plain data.
 */
export interface FirmwareBaseline {
  readonly name: string;
  /** Of the platform; where absent, of any. */
  readonly vendor?: string;
  readonly model?: string;
  /** As the firmware measures it, in EV_S_CRTM_VERSION. */
  readonly firmwareVersion?: string;
  /** In the order in which each PCR is extended, up to and with the separator. */
  readonly events: readonly BaselineEvent[];
}

/** A dynamic launch that is known good: the digests of all that it measures, in any order. Plain data. */
export interface LaunchBaseline {
  readonly name: string;
  readonly events: readonly BaselineEvent[];
}
