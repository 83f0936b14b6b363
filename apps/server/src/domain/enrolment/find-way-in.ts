// SPDX-License-Identifier: Apache-2.0
import type { EnrolmentRequest } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { JoinTokenRow } from '../../store/rows/tokens.ts';
import { sha256OfText } from '../random.ts';
import type { Service } from '../service.ts';
import type { OfferedIdentity } from './offered-identity.ts';

export interface WayIn {
  readonly deviceId: string;
  readonly joinedBy: 'token' | 'inventory' | 'approval' | 'reset' | 'again';
  readonly tokenId?: string | undefined;
}

/** Digits of the digest in a name that nobody gave. */
const NAME_DIGITS = 20;

/**
 * Whether and under which id the machine may come in. What is enrolled already may come again with the same keys; with another
 * attestation key only after an operator's reset; under an id that another has, never.
 * @throws {ServerError} 'joining_refused', 'identity_taken'
 */
export async function findWayIn(
  service: Service,
  request: EnrolmentRequest,
  offered: OfferedIdentity,
  akName: string,
  nowMs: number,
): Promise<WayIn> {
  const { store, log } = service;
  const mine = await store.read.devices.findByEk(offered.ekSha256);
  if (mine !== undefined) {
    if (mine.life === 'reset') return { deviceId: mine.id, joinedBy: 'reset' };
    if (mine.ak_name === akName) return { deviceId: mine.id, joinedBy: 'again' };
    log.warn({ alert: 'identity_taken', deviceId: mine.id }, 'a known TPM came with another attestation key');
    throw taken(
      'this TPM is enrolled with another attestation key; an operator must reset the device before it may have a new one',
    );
  }
  const way = await joinBy(service, request, offered, nowMs);
  const other = await store.read.devices.find(way.deviceId);
  if (other !== undefined) {
    log.warn({ alert: 'identity_taken', deviceId: way.deviceId }, 'another TPM asked for the id of an enrolled device');
    throw taken('that device id belongs to another TPM');
  }
  return way;
}

async function joinBy(
  { config, store }: Service,
  { joining, proposedId }: EnrolmentRequest,
  offered: OfferedIdentity,
  nowMs: number,
): Promise<WayIn> {
  if (!config.joining[joining.kind]) throw refused(`joining by ${joining.kind} is switched off here`);
  const ownName = `ek-${offered.ekSha256.slice(0, NAME_DIGITS)}`;
  switch (joining.kind) {
    case 'token': {
      const token = await store.read.joinTokens.findBySha256(sha256OfText(joining.token));
      // One answer for all three, so that nobody learns which tokens there were.
      if (!isGood(token, nowMs))
        throw refused('expected a token that is known, unused and not expired; ask for a new one');
      return { deviceId: token.device_id ?? proposedId ?? ownName, joinedBy: 'token', tokenId: token.id };
    }
    case 'inventory': {
      const [entry] = await store.read.trust.inventoryOf(offered.listedAs);
      if (entry === undefined) throw refused(`neither the EK (${offered.ekSha256}) nor its certificate is registered`);
      return { deviceId: entry.device_id, joinedBy: 'inventory' };
    }
    case 'approval':
      return { deviceId: proposedId ?? ownName, joinedBy: 'approval' };
  }
}

const isGood = (token: JoinTokenRow | undefined, nowMs: number): token is JoinTokenRow =>
  token !== undefined && token.used_at_ms === null && token.expires_at_ms > nowMs;

const refused = (message: string): ServerError => new ServerError('joining_refused', message);
const taken = (message: string): ServerError => new ServerError('identity_taken', message);
