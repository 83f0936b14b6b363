// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { BANKS, type PredictedEvent } from '@vouchsafe/manifest';
import type { BootArtefacts, BootPrediction } from '../boot-events.ts';

/** A file of /var/lib/pcrlock.d: one part of the boot, with what it puts into PCRs in its order. */
export interface PcrlockComponent {
  /** '650-uki.pcrlock'; systemd-pcrlock orders by it. */
  readonly name: string;
  readonly events: readonly PredictedEvent[];
}

/**
 * The components of a boot, named and numbered as systemd.pcrlock(5) has them where it does. Left out is what systemd ships:
 * the firmware's action, separators, the end of boot services and the boot phases (350, 400, 500, 700 and from 750 on).
 */
export function pcrlockComponents(artefacts: BootArtefacts, { events }: BootPrediction): PcrlockComponent[] {
  const groups = new Map<string, PredictedEvent[]>();
  let isBeforeSeparator = true;
  for (const event of events) {
    if (event.origin.artefact === 'firmware') {
      if (event.pcr === 7) isBeforeSeparator = false;
      continue;
    }
    const name = componentOf(event, artefacts, isBeforeSeparator);
    groups.set(name, [...(groups.get(name) ?? []), event]);
  }
  return [...groups].map(([name, group]) => ({ name, events: group })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function componentOf(
  { pcr, origin }: PredictedEvent,
  { shim, loader, loaderConf }: BootArtefacts,
  isBeforeSeparator: boolean,
): string {
  if (pcr === 1) return '250-firmware-config-early.pcrlock';
  if (pcr === 7) return isBeforeSeparator ? '240-secureboot-policy.pcrlock' : '620-secureboot-authority.pcrlock';
  if (origin.artefact === 'GPT') return '600-gpt.pcrlock';
  if (pcr === 14 || origin.artefact === shim?.pe.source.label) return '630-shim.pcrlock';
  const ofLoader = [loader?.source.label, loaderConf?.label];
  if (ofLoader.includes(origin.artefact)) return '640-boot-loader.pcrlock';
  if (pcr !== 9) return '650-uki.pcrlock';
  return origin.section === '.cmdline' || origin.artefact === 'boot entry'
    ? '710-kernel-cmdline.pcrlock'
    : '720-kernel-initrd.pcrlock';
}

/**
 * The content of a .pcrlock file, octet for octet as systemd-pcrlock writes it: CEL-JSON without record numbers and content.
 * systemd, src/pcrlock/pcrlock.c (write_pcrlock); systemd.pcrlock(5).
 */
export function formatPcrlock({ events }: Pick<PcrlockComponent, 'events'>): string {
  const records = events.map(({ pcr, digests }) => ({
    pcr,
    digests: BANKS.flatMap((hashAlg) => {
      const digest = digests.get(hashAlg);
      return digest === undefined ? [] : [{ hashAlg, digest: toHex(digest) }];
    }),
  }));
  return `${JSON.stringify({ records })}\n`;
}
