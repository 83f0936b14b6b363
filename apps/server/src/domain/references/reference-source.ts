// SPDX-License-Identifier: Apache-2.0
import type { CedarEngine } from '@vouchsafe/appraise';
import type { Store } from '../../store/open-store.ts';
import { loadSnapshot, type Snapshot } from './snapshot.ts';

/** The references of the moment. */
export interface ReferenceSource {
  /**
   * What this instance knows. It may be old, when another instance has changed something: a verdict is recorded only when
   * the generation is still the database's, so it must be, and `refresh` is called when it was not.
   */
  current(): Promise<Snapshot>;
  /** What the database has now. */
  refresh(): Promise<Snapshot>;
}

export function createReferenceSource(store: Store, engine: CedarEngine): ReferenceSource {
  let known: Snapshot | undefined;
  let loading: Promise<Snapshot> | undefined;

  async function load(): Promise<Snapshot> {
    // A change while they are read would give a mixture: its generation is read first, and asked for again.
    for (let tries = 0; ; tries++) {
      const generation = await store.read.settings.generation();
      if (known?.generation === generation) return known;
      const loaded = await loadSnapshot(store.read, engine, generation);
      const isWhole = (await store.read.settings.generation()) === generation;
      if (!isWhole && tries < MAX_TRIES) continue;
      known = loaded;
      return loaded;
    }
  }

  const refresh = (): Promise<Snapshot> => {
    // All who come while it loads wait for the same.
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  return { current: async () => known ?? refresh(), refresh };
}

/** Somebody changes references all the time: then a mixture of neighbours will do, as it is recorded under neither. */
const MAX_TRIES = 5;
