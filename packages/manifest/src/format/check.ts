// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digestSize } from '@vouchsafe/crypto';
import { ManifestError } from '../error.ts';
import type { Bank } from '../predicted-event.ts';
import { replayPredicted } from '../replay-predicted.ts';
import { predictedEventsOf } from './events-of.ts';
import type { Manifest, ManifestBoot } from './schema.ts';

/**
 * What the schema cannot say: a manifest is of one piece. PCR values are not believed beside the events; when the kernel
 * has just started they are what the events give.
 * @throws {ManifestError} 'manifest_malformed' with the place.
 */
export function checkManifest(manifest: Manifest): void {
  const { banks, events, boots } = manifest;
  for (const [i, { digests }] of events.entries()) {
    const has = Object.keys(digests);
    if (has.length !== banks.length || banks.some((bank) => digests[bank] === undefined)) {
      throw malformed(`/events/${i}/digests`, `expected digests in ${banks.join(', ')}, found ${has.join(', ')}`);
    }
  }
  const used = new Set<number>();
  const conditions = new Set<string>();
  for (const [i, boot] of boots.entries()) {
    const path = `/boots/${i}`;
    const key = JSON.stringify(Object.entries(boot.condition).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    if (conditions.has(key)) throw malformed(`${path}/condition`, 'expected each condition once, found it twice');
    conditions.add(key);
    for (const [j, place] of boot.events.entries()) {
      if (place >= events.length) {
        throw malformed(`${path}/events/${j}`, `expected a place in ${events.length} events, found ${place}`);
      }
      used.add(place);
    }
    checkPhases(manifest, boot, path);
  }
  const idle = events.findIndex((_, place) => !used.has(place));
  if (idle >= 0) throw malformed(`/events/${idle}`, 'expected an event of some boot, found one of none');
}

function checkPhases(manifest: Manifest, boot: ManifestBoot, path: string): void {
  const [first] = boot.phases;
  if (first?.phase !== '') throw malformed(`${path}/phases/0/phase`, "expected '', the start of the kernel, first");
  if (new Set(boot.phases.map(({ phase }) => phase)).size !== boot.phases.length) {
    throw malformed(`${path}/phases`, 'expected each phase once, found one twice');
  }
  for (const [i, { pcrs }] of boot.phases.entries()) {
    for (const bank of manifest.banks) {
      const at = `${path}/phases/${i}/pcrs/${bank}`;
      const found = Object.keys(pcrs[bank] ?? {}).map(Number);
      if (found.length !== boot.covers.length || found.some((pcr) => !boot.covers.includes(pcr))) {
        throw malformed(at, `expected PCRs ${boot.covers.join(', ')}, found ${found.join(', ')}`);
      }
    }
    const more = Object.keys(pcrs).find((bank) => !manifest.banks.includes(bank as Bank));
    if (more !== undefined) throw malformed(`${path}/phases/${i}/pcrs`, `expected no values in ${more}`);
  }
  checkFirstPhase(manifest, boot, path);
}

function checkFirstPhase(manifest: Manifest, boot: ManifestBoot, path: string): void {
  const events = predictedEventsOf(manifest, boot);
  for (const bank of manifest.banks) {
    const replayed = replayPredicted(bank, events);
    for (const [pcr, value] of Object.entries(boot.phases[0]?.pcrs[bank] ?? {})) {
      const expected = toHex(replayed.get(Number(pcr)) ?? new Uint8Array(digestSize(bank)));
      if (value === expected) continue;
      throw malformed(
        `${path}/phases/0/pcrs/${bank}/${pcr}`,
        `expected what the events give, ${expected}, found ${value}`,
      );
    }
  }
}

function malformed(path: string, message: string): ManifestError {
  return new ManifestError('manifest_malformed', message, { path });
}
