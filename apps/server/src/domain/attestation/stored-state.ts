// SPDX-License-Identifier: Apache-2.0
import type { BootState, SettledBoot } from '@vouchsafe/appraise';
import { sha256OfText } from '../random.ts';

/** A state in two parts: what changes with each attestation, and what the boot came to, which mostly stays. */
export interface StoredState {
  /** JSON; it names the other part by its digest. */
  readonly state: string;
  /** JSON; undefined where it is what is there already. */
  readonly settled?: string;
  readonly settledSha256: string | undefined;
}

/** What is in the database of the state before. */
export interface HeldState {
  readonly state: BootState | undefined;
  readonly settledSha256: string | undefined;
}

export function storedState({ settled, ...rest }: BootState, held: HeldState): StoredState {
  if (settled === undefined) return { state: JSON.stringify(rest), settledSha256: undefined };
  // `appraise` gives back what it was given where the boot is the same.
  const isHeld = settled === held.state?.settled && held.settledSha256 !== undefined;
  const body = isHeld ? undefined : JSON.stringify(settled);
  const settledSha256 = body === undefined ? held.settledSha256 : sha256OfText(body);
  return {
    state: JSON.stringify({ ...rest, settled: settledSha256 }),
    ...(body === undefined ? {} : { settled: body }),
    settledSha256,
  };
}

type InTwoParts = Omit<BootState, 'settled'> & { readonly settled?: SettledBoot | string };

/** Where the other part comes from. */
export interface SettledSource {
  /** One of that digest that is known already. */
  known(sha256: string): SettledBoot | undefined;
  /** That of the device, from the database. */
  load(): Promise<string | undefined>;
}

/** The state as it is in the database. The boot is appraised anew where it names a part that is not there, or another's. */
export async function openState(text: string | null, source: SettledSource): Promise<HeldState> {
  if (text === null) return { state: undefined, settledSha256: undefined };
  const { settled: part, ...rest } = JSON.parse(text) as InTwoParts;
  if (part === undefined) return { state: rest, settledSha256: undefined };
  // As the service wrote it before it had two parts.
  if (typeof part !== 'string') return { state: { ...rest, settled: part }, settledSha256: undefined };
  const known = source.known(part);
  if (known !== undefined) return { state: { ...rest, settled: known }, settledSha256: part };
  const body = await source.load();
  if (body === undefined || sha256OfText(body) !== part) return { state: rest, settledSha256: undefined };
  return { state: { ...rest, settled: JSON.parse(body) as SettledBoot }, settledSha256: part };
}
