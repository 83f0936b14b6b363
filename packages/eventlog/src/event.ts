// SPDX-License-Identifier: Apache-2.0
import type { TpmBank } from '@vouchsafe/tpm';
import type { CelManagement } from './cel/management.ts';
import type { UserspaceContent } from './userspace/content.ts';

/** What one bank was extended with. */
export interface EventDigest {
  readonly bank: TpmBank;
  /** A view of the log. */
  readonly digest: Uint8Array;
}

/**
 * Who wrote an event: the firmware's log (`tcg`: firmware, boot loader, stub, and the kernel until it takes over), the
 * kernel's IMA list, systemd's userspace log, the log of a dynamic launch, or the canonical log about itself (`cel`).
 */
export type LogSource = 'tcg' | 'ima' | 'userspace' | 'drtm' | 'cel';

interface EventFields {
  readonly source: LogSource;
  /** Place in its log, from 0, the header of a TCG log included. */
  readonly index: number;
  /** Octets from the start of the log. */
  readonly offset: number;
  /** Untrusted: the specification's name of the type, or its number where it has none; of IMA, the template's name. */
  readonly type: string | number;
  readonly digests: readonly EventDigest[];
  /**
   * A view of the log where it is binary. Of the userspace log, the text that stands for what was measured, in UTF-8.
   * Untrusted.
   */
  readonly data: Uint8Array;
  /** Of the userspace log: what it says beside the text. Untrusted. */
  readonly content?: UserspaceContent;
  /** Of a canonical log: what it says about itself. */
  readonly management?: CelManagement;
}

/**
 * One entry of a boot log, whatever wrote it. Only the digests are bound to a PCR, and only once a replay has matched a
 * quote. The type is never measured, and the data only where a digest covers it: see `coverageOf` and `trustOf`.
 */
export interface BootEvent extends EventFields {
  /** As the log says; untrusted, and perhaps outside what a TPM has. */
  readonly pcr: number;
}

/** An entry that went to an NV index which is extended like a PCR: systemd's NvPCRs. */
export interface NvEvent extends EventFields {
  readonly pcr?: undefined;
  /** Handle of the index, where the log says it: 0x01xxxxxx. */
  readonly nvIndex?: number;
  /** systemd's name of it, where the log says it. */
  readonly nvName?: string;
}

/** An entry of any log. */
export type LogEvent = BootEvent | NvEvent;

/** The digest of one bank, if the event has it. */
export function digestOf({ digests }: LogEvent, bank: TpmBank): Uint8Array | undefined {
  for (const entry of digests) if (entry.bank === bank) return entry.digest;
  return undefined;
}

/** True for an event of a PCR; false for one of an NV index. */
export function isPcrEvent(event: LogEvent): event is BootEvent {
  return event.pcr !== undefined;
}
