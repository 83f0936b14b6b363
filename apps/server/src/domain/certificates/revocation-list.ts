// SPDX-License-Identifier: Apache-2.0
import { type Authority, type CrlReason, issueCrl } from '@vouchsafe/pki';
import type { Store } from '../../store/open-store.ts';
import type { AuthorityName } from '../../store/rows/certificates.ts';
import { SKEW_MS } from './issue.ts';

/** A new list is made when this part of the old one's life is over, so that proxies never have one that has run out. */
const RENEW_PART = 4;
/** How often it is tried while other instances make lists too. */
const MAX_ATTEMPTS = 5;

export interface RevocationListInput {
  readonly store: Store;
  readonly name: AuthorityName;
  readonly authority: Authority;
  readonly lifetimeMs: number;
  readonly nowMs: number;
}

/**
 * The revocation list as it must be now, in DER: the one in the database while it names all that is revoked and is young, else
 * a new one with the next number.
 */
export async function currentRevocationList(input: RevocationListInput): Promise<Uint8Array> {
  const { store, name, lifetimeMs, nowMs } = input;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const row = await store.read.certificates.revocationList(name);
    const isYoung = row !== undefined && nowMs < row.this_update_ms + lifetimeMs / RENEW_PART;
    if (row?.der && isYoung && row.revision === row.listed_revision) return Uint8Array.from(row.der);
    const made = await makeList(input, row?.number ?? 0, row?.this_update_ms ?? nowMs);
    const next = { authority: name, listed_revision: row?.revision ?? 0, ...made };
    if (await store.write((tx) => tx.certificates.putRevocationList(next))) return made.der;
  }
  throw new Error(`revocation list of ${name}: others keep making new ones`);
}

async function makeList(
  { store, name, authority, lifetimeMs, nowMs }: RevocationListInput,
  was: number,
  wasMs: number,
) {
  const revoked = await store.read.certificates.revoked(name, wasMs);
  const thisUpdateMs = Math.floor(nowMs / 1000) * 1000;
  const number = was + 1;
  const crl = await issueCrl(
    {
      crlNumber: BigInt(number),
      // A proxy whose clock is behind would take a list of a time to come for none, and refuse everybody (RFC 5280, 6.3.3).
      thisUpdateMs: thisUpdateMs - SKEW_MS,
      nextUpdateMs: thisUpdateMs + Math.ceil(lifetimeMs / 1000) * 1000,
      revoked: revoked.map(({ serial, revoked_at_ms, reason }) => ({
        serialNumber: BigInt(`0x${serial}`),
        revokedAtMs: Math.floor((revoked_at_ms ?? nowMs) / 1000) * 1000,
        ...(reason === null ? {} : { reason: reason as CrlReason }),
      })),
    },
    authority,
  );
  return { number, der: crl.bytes, this_update_ms: thisUpdateMs };
}
