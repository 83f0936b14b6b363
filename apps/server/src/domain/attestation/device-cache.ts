// SPDX-License-Identifier: Apache-2.0
import type { IdentityFacts, PinnedSystem } from '@vouchsafe/appraise';
import { decode } from '@vouchsafe/codec';
import { PublicKeyCache } from '@vouchsafe/crypto';
import { importSigningKey, type TpmSigningKey, tpmtPublic } from '@vouchsafe/tpm';
import type { Store } from '../../store/open-store.ts';
import type { GrantState } from '../../store/rows/device-keys.ts';
import type { DeviceRow } from '../../store/rows/devices.ts';
import { boundedMap } from '../bounded-map.ts';
import type { Trust } from '../references/snapshot.ts';
import { identityFactsOf } from './identity-facts.ts';
import { type HeldState, openState } from './stored-state.ts';

/** A device, ready for its evidence. */
export interface KnownDevice extends HeldState {
  readonly row: DeviceRow;
  readonly key: TpmSigningKey;
  readonly identity: IdentityFacts;
  readonly pinnedSystem: PinnedSystem | undefined;
  /** What it has been granted, once that is known: as of the row's revision, which grows with whatever else changes it. */
  readonly grants?: GrantState;
  /** Of the trust store that `identity` is by. */
  readonly trustSha256: string;
}

/**
 * Devices that called lately, so that the usual attestation reads nothing from the database. What is here may be old; a
 * verdict is recorded only upon the device's own revision.
 */
export interface DeviceCache {
  find(id: string, trust: Trust): Promise<KnownDevice | undefined>;
  put(id: string, device: KnownDevice): void;
  forget(id: string): void;
}

/** Some kilobytes each. */
const MAX_DEVICES = 16_384;
const MAX_KEYS = 16_384;

export function createDeviceCache(store: Store): DeviceCache {
  const known = boundedMap<string, KnownDevice>(MAX_DEVICES);
  const keys = new PublicKeyCache(MAX_KEYS);
  return {
    async find(id, trust) {
      const cached = known.get(id);
      if (cached !== undefined && cached.trustSha256 === trust.sha256) return cached;
      const row = await store.read.devices.find(id);
      if (row === undefined) return undefined;
      const details = await store.read.details.identity(id);
      if (details === undefined) return undefined;
      const device: KnownDevice = {
        row,
        key: importSigningKey(decode(tpmtPublic, row.ak_public), keys),
        ...(await openState(row.state, () => store.read.details.settled(id))),
        identity: identityFactsOf(row, details, trust),
        pinnedSystem: row.pinned_system === null ? undefined : (JSON.parse(row.pinned_system) as PinnedSystem),
        trustSha256: trust.sha256,
      };
      known.set(id, device);
      return device;
    },
    put: (id, device) => known.set(id, device),
    forget: (id) => known.delete(id),
  };
}
