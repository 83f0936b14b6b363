// SPDX-License-Identifier: Apache-2.0
import type { QuoteEvidence } from '@vouchsafe/tpm';

/** The firmware's boot log. It stays the same for a whole boot, so that it need not be at hand each time. */
export interface FirmwareLogEvidence {
  /** SHA-256 of the log, lower-case hexadecimal. */
  readonly sha256: string;
  /** As the kernel gives it; may be absent where `needsFirmwareLog` says so. */
  readonly bytes?: Uint8Array;
}

/** A part of IMA's binary list, from an entry's border on. */
export interface ImaEvidence {
  /** Octets of the list in front of `bytes`. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What a machine sends. All of it is untrusted. */
export interface Evidence {
  readonly quote: QuoteEvidence;
  readonly logs: {
    readonly firmware: FirmwareLogEvidence;
    /** systemd's, whole. */
    readonly userspace?: Uint8Array;
    readonly ima?: ImaEvidence;
    /** Of a dynamic launch. */
    readonly launch?: Uint8Array;
  };
}
