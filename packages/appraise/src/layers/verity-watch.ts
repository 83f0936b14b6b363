// SPDX-License-Identifier: Apache-2.0
import type { DeviceMapperEvent, DeviceMapperTarget, ImaEntry } from '@vouchsafe/eventlog';
import type { Manifest } from '@vouchsafe/manifest';

/** What a measured buffer comes to. */
export type BufferSaid =
  /** A verity device with the image's root hash was set up. */
  | { readonly kind: 'verity' }
  /** Nothing that endangers a verity device. */
  | { readonly kind: 'harmless' }
  | { readonly kind: 'bad'; readonly code: 'verity_root' | 'verity_off'; readonly hint: string }
  | { readonly kind: 'unknown'; readonly hint: string };

/**
 * What the kernel measures of itself, and that tells nothing which the boot does not: its release. Linux,
 * security/integrity/ima/ima_init.c.
 */
const HARMLESS: ReadonlySet<string> = new Set(['kernel_version']);

/** Devices that are watched; an image has one or two. */
const MAX_NAMES = 64;

/**
 * Follows the device mapper's records (Linux, Documentation/admin-guide/device-mapper/dm-ima.rst): a verity device has the
 * image's root hash, and nothing is done to it afterwards (A43).
 */
export class VerityWatch {
  readonly #rootHashes: ReadonlySet<string>;
  readonly #names: Set<string>;

  /** @param names of verity devices that are set up already. */
  constructor(roots: Manifest['roots'], names: readonly string[]) {
    this.#rootHashes = new Set(roots.map(({ rootHash }) => rootHash.toLowerCase()));
    this.#names = new Set(names);
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  take({ name, deviceMapper }: Extract<ImaEntry, { kind: 'buffer' }>): BufferSaid {
    if (deviceMapper === undefined) {
      return HARMLESS.has(name) ? { kind: 'harmless' } : { kind: 'unknown', hint: `it is '${name.slice(0, 128)}'` };
    }
    const device = deviceMapper.device['name'] ?? '';
    const isWatched = this.#names.has(device);
    switch (deviceMapper.event) {
      case 'dm_table_load':
        return this.#load(deviceMapper, device, isWatched);
      case 'dm_device_resume':
        return { kind: 'harmless' };
      case 'dm_device_rename':
      case 'dm_device_remove':
      case 'dm_table_clear':
      case 'dm_target_update':
        return isWatched
          ? bad('verity_off', `${deviceMapper.event}: the verity device ${device} was changed or taken away`)
          : { kind: 'harmless' };
      default:
        return { kind: 'unknown', hint: `the device mapper did '${deviceMapper.event}'` };
    }
  }

  #load({ targets }: DeviceMapperEvent, device: string, isWatched: boolean): BufferSaid {
    const verity = targets.filter(({ name }) => name === 'verity');
    if (verity.length === 0) {
      return isWatched
        ? bad('verity_off', `a table without verity was loaded for the verity device ${device}`)
        : { kind: 'harmless' };
    }
    const wrong = verity.map(rootHashOf).find((hash) => hash === undefined || !this.#rootHashes.has(hash));
    if (wrong !== undefined || verity.some((target) => rootHashOf(target) === undefined)) {
      return bad(
        'verity_root',
        `the verity device ${device} has the root hash ${wrong ?? '(none)'}, which is not the image's`,
      );
    }
    if (this.#names.size >= MAX_NAMES) return { kind: 'unknown', hint: 'more verity devices than an image has' };
    this.#names.add(device);
    return { kind: 'verity' };
  }
}

const bad = (code: 'verity_root' | 'verity_off', hint: string): BufferSaid => ({ kind: 'bad', code, hint });

const rootHashOf = ({ fields }: DeviceMapperTarget): string | undefined => fields['root_digest']?.toLowerCase();
