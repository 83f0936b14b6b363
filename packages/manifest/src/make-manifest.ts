// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digestSize } from '@vouchsafe/crypto';
import {
  type BootCondition,
  FORMAT_MAJOR,
  FORMAT_MINOR,
  type Manifest,
  type ManifestArtefact,
  type ManifestBoot,
  type ManifestBudgets,
  type ManifestEvent,
  type ManifestIma,
  type ManifestPart,
  type ManifestRoot,
} from './format/schema.ts';
import { BANKS, type Bank, type PredictedEvent } from './predicted-event.ts';
import { replayPredicted } from './replay-predicted.ts';

/** One way to boot an image, as it was predicted. */
export interface PredictedBoot {
  readonly condition: BootCondition;
  /** PCRs of which every event is known. */
  readonly covers: readonly number[];
  /** In the order of the log, up to the moment when the kernel has started. */
  readonly events: readonly PredictedEvent[];
  /** What happens later, phase by phase: each with all events since the kernel's start. */
  readonly phases: readonly { readonly phase: string; readonly events: readonly PredictedEvent[] }[];
}

export interface ManifestRequest {
  readonly name: string;
  readonly version: string;
  /** 'x86-64', 'arm64'. */
  readonly architecture: string;
  readonly artefacts: readonly ManifestArtefact[];
  readonly roots: readonly ManifestRoot[];
  readonly boots: readonly PredictedBoot[];
  readonly parts?: readonly ManifestPart[];
  readonly budgets?: ManifestBudgets;
  readonly ima?: ManifestIma | undefined;
  readonly banks: readonly Bank[];
}

/**
 * A manifest of what was predicted; an event that several boots have stands in it once.
 * @throws {ManifestError} 'bank_unsupported' for an event without a digest in one of the banks.
 */
export function makeManifest(request: ManifestRequest): Manifest {
  const { name, version, architecture, artefacts, roots, parts = [], budgets = {}, boots, ima } = request;
  const banks = BANKS.filter((bank) => request.banks.includes(bank));
  const table = new EventTable(banks);
  return {
    format: { name: 'vouchsafe-manifest', major: FORMAT_MAJOR, minor: FORMAT_MINOR },
    name,
    version,
    architecture,
    artefacts: [...artefacts],
    roots: [...roots],
    banks,
    boots: boots.map((boot) => bootOf(boot, banks, table)),
    events: table.events,
    parts: [...parts],
    budgets,
    ...(ima === undefined ? {} : { ima }),
  };
}

/** Events by their place, each once. */
class EventTable {
  readonly events: ManifestEvent[] = [];
  readonly #banks: readonly Bank[];
  readonly #places = new Map<string, number>();

  constructor(banks: readonly Bank[]) {
    this.#banks = banks;
  }

  placeOf(event: PredictedEvent): number {
    const { pcr, description, origin } = event;
    const digests = Object.fromEntries(
      this.#banks.map((bank) => [bank, toHex(event.digests.get(bank) ?? new Uint8Array(0))]),
    );
    const entry: ManifestEvent = { pcr, description, origin: { ...origin }, digests };
    const key = JSON.stringify([pcr, description, origin.artefact, origin.section, origin.offset, digests]);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.events.length);
    return this.events.push(entry) - 1;
  }
}

function bootOf(boot: PredictedBoot, banks: readonly Bank[], table: EventTable): ManifestBoot {
  const covers = boot.covers.toSorted((a, b) => a - b);
  const valuesAfter = (events: readonly PredictedEvent[]) =>
    Object.fromEntries(
      banks.map((bank) => {
        const values = replayPredicted(bank, events);
        const valueIn = (pcr: number): string => toHex(values.get(pcr) ?? new Uint8Array(digestSize(bank)));
        return [bank, Object.fromEntries(covers.map((pcr) => [String(pcr), valueIn(pcr)]))];
      }),
    );
  return {
    condition: { ...boot.condition },
    covers,
    events: boot.events.map((event) => table.placeOf(event)),
    phases: [
      { phase: '', pcrs: valuesAfter(boot.events) },
      ...boot.phases.map(({ phase, events }) => ({ phase, pcrs: valuesAfter([...boot.events, ...events]) })),
    ],
  };
}
