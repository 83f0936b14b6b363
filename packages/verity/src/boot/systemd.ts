// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { requireFields, saltText, type TreeDescription } from './description.ts';

/** A tree, and its devices where systemd is not to find them by the root hash. */
export interface SystemdDescription extends TreeDescription {
  readonly dataDevice?: string | undefined;
  readonly hashDevice?: string | undefined;
}

/**
 * `roothash=` and what goes with it, for systemd-veritysetup-generator(8): the devices where they are named, and the
 * options of veritytab(5) where a tree is not the usual one. superblock=, hash-offset=, fec-device= and what describes a
 * tree without a superblock are known since systemd 254; older ones pass over them with a warning.
 * @throws {VerityError} 'options_invalid' for a device's name that would end the field early.
 */
export function formatRoothash(d: SystemdDescription): string {
  return formatParameters('root', d);
}

/** `usrhash=`, the same for /usr. */
export function formatUsrhash(d: SystemdDescription): string {
  return formatParameters('usr', d);
}

/** Why systemd cannot be told all of this; undefined when it can. */
export function systemdObstacle({ signatureKey }: TreeDescription): string | undefined {
  if (signatureKey === undefined) return undefined;
  return 'systemd puts the signature into a key of its own choice; say systemd.verity_root_options=root-hash-signature=PATH instead';
}

function formatParameters(what: 'root' | 'usr', d: SystemdDescription): string {
  const { rootHash, dataDevice, hashDevice, parity } = d;
  const where = 'a kernel command line; no spaces, quotes or backslashes';
  requireFields(/["'\s\\]/, where, dataDevice, hashDevice);
  requireFields(
    /["'\s\\,]/,
    `systemd.verity_${what}_options=; no commas, spaces, quotes or backslashes`,
    parity?.device,
  );
  const options = optionsOf(d);
  return [
    `${what}hash=${toHex(rootHash)}`,
    ...(dataDevice === undefined ? [] : [`systemd.verity_${what}_data=${dataDevice}`]),
    ...(hashDevice === undefined ? [] : [`systemd.verity_${what}_hash=${hashDevice}`]),
    ...(options.length === 0 ? [] : [`systemd.verity_${what}_options=${options.join(',')}`]),
  ].join(' ');
}

/** veritytab(5), the fifth field; systemd src/veritysetup/veritysetup.c, parse_options. */
function optionsOf({ parameters: p, place, parity, onCorruption, ignoresZeroBlocks }: TreeDescription): string[] {
  const options: string[] = [];
  if (!place.hasSuperblock) {
    // All of it: without salt= systemd would make one up, and the other defaults are libcryptsetup's.
    options.push('superblock=no', `format=${p.hashType}`, `hash=${p.algorithm}`, `salt=${saltText(p.salt)}`);
    options.push(`data-block-size=${p.dataBlockSize}`, `hash-block-size=${p.hashBlockSize}`);
    options.push(`data-blocks=${p.dataBlocks}`);
  }
  if (place.offset !== 0) options.push(`hash-offset=${place.offset}`);
  if (onCorruption !== undefined) options.push(`${onCorruption}-on-corruption`);
  if (ignoresZeroBlocks === true) options.push('ignore-zero-blocks');
  if (parity !== undefined) {
    options.push(`fec-device=${parity.device}`, `fec-roots=${parity.roots}`);
    if (parity.offset !== 0) options.push(`fec-offset=${parity.offset}`);
  }
  return options;
}
