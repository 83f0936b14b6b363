// SPDX-License-Identifier: Apache-2.0
import type { EventReasonCode } from '@vouchsafe/appraise';
import type { BootOutcome } from '../machine/outcome.ts';
import type { DiskEdit } from './disk-edit.ts';

export type SecureBoot = 'on' | 'off';

/** What a case of tampering needs besides the disk. */
export interface TamperInputs {
  /** A folder of `keys generate`: what the attacker has come by, for cases that say so. */
  readonly keys?: string;
  /** The disk of an earlier version, signed by the same keys. */
  readonly olderDisk?: string;
  /** A stub for addons. */
  readonly stub?: string;
}

/** What becomes of a machine that was tampered with. */
export type Expectation =
  /** It does not come up. */
  | { readonly kind: 'refused'; readonly by: readonly BootOutcome[] }
  /** It comes up, and its log, laid beside the manifest, says what was done. */
  | { readonly kind: 'visible'; readonly reasons: readonly EventReasonCode[] }
  /** It comes up, and its log is that of an earlier version, which its manifest names. */
  | { readonly kind: 'older' }
  /** It comes up, and its TPM holds what no log leads to. */
  | { readonly kind: 'unlogged'; readonly pcr: number }
  /** It runs on; orders to its guest end with these statuses. */
  | { readonly kind: 'orders'; readonly statuses: readonly number[] }
  /** It comes up as if nothing had been done. */
  | { readonly kind: 'unnoticed'; readonly why: string };

/** A change that is made while the guest runs, to the disk under it. */
export interface OnlineTampering {
  readonly change: (edit: DiskEdit) => void;
  /** What the guest does then. */
  readonly orders: readonly string[];
}

export interface TamperCase {
  readonly summary: string;
  /** What comes of it, under each state of Secure Boot in which the case means something. */
  readonly expected: Readonly<Partial<Record<SecureBoot, Expectation>>>;
  /** What comes of it with a stub that does not know of such a thing yet: before this version of systemd. */
  readonly before?: { readonly stubVersion: number; readonly expected: Expectation };
  /** Needed of the inputs. */
  readonly needs?: readonly (keyof TamperInputs)[];
  /** The change to the disk, before it is booted. @throws {LabError} 'tamper_unfit' where the disk has no place for it. */
  readonly change?: (edit: DiskEdit, inputs: TamperInputs) => void | Promise<void>;
  /** The disk to boot in place of this one. */
  readonly replace?: (inputs: TamperInputs) => string | undefined;
  /** What root does in the guest. */
  readonly orders?: readonly string[];
  /** What is done under the running guest. */
  readonly online?: (edit: DiskEdit) => OnlineTampering;
}
