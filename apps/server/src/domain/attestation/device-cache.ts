// SPDX-License-Identifier: Apache-2.0
import type { IdentityFacts, PinnedSystem, SettledBoot } from '@vouchsafe/appraise';
import { decode } from '@vouchsafe/codec';
import { PublicKeyCache } from '@vouchsafe/crypto';
import { importSigningKey, type TpmSigningKey, tpmtPublic } from '@vouchsafe/tpm';
import type { Store } from '../../store/open-store.ts';
import type { GrantState } from '../../store/rows/device-keys.ts';
import type { DeviceRow } from '../../store/rows/devices.ts';
import { type BoundedMap, boundedMap } from '../bounded-map.ts';
import type { Trust } from '../references/snapshot.ts';
import { createIdentityCache } from './identity-cache.ts';
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
  /** @returns the device as it is kept: what many have in common they share. */
  put(id: string, device: KnownDevice): KnownDevice;
  forget(id: string): void;
}

/** Some kilobytes each. */
const MAX_DEVICES = 16_384;
const MAX_KEYS = 16_384;
/** What boots came to: machines of a model and an image mostly come to the same. */
const MAX_BOOTS = 4096;
/** A hundred octets each; to check a machine's certificates again costs more than its attestation. */
const MAX_IDENTITIES = 131_072;

export function createDeviceCache(store: Store): DeviceCache {
  const known = boundedMap<string, KnownDevice>(MAX_DEVICES);
  const keys = new PublicKeyCache(MAX_KEYS);
  const identities = createIdentityCache(MAX_IDENTITIES);
  const boots = boundedMap<string, SettledBoot>(MAX_BOOTS);
  const remember = (id: string, device: KnownDevice): KnownDevice => {
    const shared = withSharedBoot(device, boots);
    known.set(id, shared);
    return shared;
  };
  const checked = async (row: DeviceRow, trust: Trust): Promise<IdentityFacts | undefined> => {
    const details = await store.read.details.identity(row.id);
    return details === undefined ? undefined : identities.put(row, trust, identityFactsOf(row, details, trust));
  };
  return {
    async find(id, trust) {
      const cached = known.get(id);
      if (cached !== undefined && cached.trustSha256 === trust.sha256) return cached;
      const row = await store.read.devices.find(id);
      if (row === undefined) return undefined;
      const identity = identities.get(row, trust) ?? (await checked(row, trust));
      if (identity === undefined) return undefined;
      const device: KnownDevice = {
        row,
        key: importSigningKey(decode(tpmtPublic, row.ak_public), keys),
        ...(await openState(row.state, { known: boots.get, load: () => store.read.details.settled(id) })),
        identity,
        pinnedSystem: row.pinned_system === null ? undefined : (JSON.parse(row.pinned_system) as PinnedSystem),
        trustSha256: trust.sha256,
      };
      return remember(id, device);
    },
    put: remember,
    forget: (id) => known.delete(id),
  };
}

/** Of a machine's memory this is most. */
function withSharedBoot(device: KnownDevice, boots: BoundedMap<string, SettledBoot>): KnownDevice {
  const { state, settledSha256 } = device;
  if (state?.settled === undefined || settledSha256 === undefined) return device;
  const settled = boots.get(settledSha256) ?? state.settled;
  boots.set(settledSha256, settled);
  return settled === state.settled ? device : { ...device, state: { ...state, settled } };
}
