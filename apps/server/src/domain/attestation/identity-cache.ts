// SPDX-License-Identifier: Apache-2.0
import type { IdentityFacts } from '@vouchsafe/appraise';
import type { DeviceRow } from '../../store/rows/devices.ts';
import { boundedMap } from '../bounded-map.ts';
import type { Trust } from '../references/snapshot.ts';

/** What `identityFactsOf` gave for a device: it rests on how and when it enrolled, and on the trust store. */
export interface IdentityCache {
  get(row: DeviceRow, trust: Trust): IdentityFacts | undefined;
  /** @returns the same facts, which devices share. */
  put(row: DeviceRow, trust: Trust, facts: IdentityFacts): IdentityFacts;
}

interface Known {
  readonly enrolledAtMs: number;
  readonly akName: string;
  readonly trustSha256: string;
  readonly facts: IdentityFacts;
}

/** Makers and models are few. */
const MAX_DIFFERENT = 1024;

export function createIdentityCache(maxDevices: number): IdentityCache {
  const known = boundedMap<string, Known>(maxDevices);
  const different = boundedMap<string, IdentityFacts>(MAX_DIFFERENT);
  return {
    get(row, trust) {
      const found = known.get(row.id);
      const isSame =
        found?.enrolledAtMs === row.enrolled_at_ms &&
        found.akName === row.ak_name &&
        found.trustSha256 === trust.sha256;
      return isSame ? found.facts : undefined;
    },
    put(row, trust, facts) {
      const text = JSON.stringify(facts);
      const shared = different.get(text) ?? facts;
      different.set(text, shared);
      const { enrolled_at_ms: enrolledAtMs, ak_name: akName } = row;
      known.set(row.id, { enrolledAtMs, akName, trustSha256: trust.sha256, facts: shared });
      return shared;
    },
  };
}
