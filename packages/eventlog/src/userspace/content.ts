// SPDX-License-Identifier: Apache-2.0

/** What systemd says of a measurement that userspace made. Untrusted, but for the text where the digest covers it. */
export interface UserspaceContent {
  /** 'phase', 'filesystem', 'volume-key', 'machine-id', 'product-id', 'keyslot', 'nvpcr-init', 'nvpcr-separator', 'dm-verity' … */
  readonly eventType?: string;
  /** What was measured, or, where that is a secret such as a volume key, what it stands for. */
  readonly string?: string;
  /** The boot that made the record: 32 hexadecimal digits. */
  readonly bootId?: string;
  /** Microseconds since the boot, CLOCK_BOOTTIME. */
  readonly timestampUs?: number;
  /** Name of the NvPCR, where one was extended. */
  readonly nvIndexName?: string;
}
