// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { treeLayout } from '../tree/layout.ts';
import { requireFields, saltText, type TreeDescription, type VerityDescription } from './description.ts';

/** Device-mapper counts in sectors of this size, whatever the disk's. */
const SECTOR_BYTES = 512;

/**
 * One line of a device-mapper table: start and length in sectors of 512 octets, then the target's arguments.
 * Linux, Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters".
 * @throws {VerityError} 'options_invalid' for a device's or key's name that would end the field early.
 */
export function formatDmTable(d: VerityDescription): string {
  const names = [d.dataDevice, d.hashDevice, d.parity?.device, d.signatureKey];
  requireFields(/[\s\\]/, 'a device-mapper table; no spaces or backslashes', ...names);
  const { parameters: p } = d;
  const hashStart = treeLayout(p, d.place).start / p.hashBlockSize;
  const options = optionalArguments(d);
  return [
    0,
    (p.dataBlocks * p.dataBlockSize) / SECTOR_BYTES,
    'verity',
    p.hashType,
    d.dataDevice,
    d.hashDevice,
    p.dataBlockSize,
    p.hashBlockSize,
    p.dataBlocks,
    hashStart,
    p.algorithm,
    toHex(d.rootHash),
    saltText(p.salt),
    // How many words follow, not how many options.
    ...(options.length > 0 ? [options.length, ...options] : []),
  ].join(' ');
}

/** In the order in which libcryptsetup gives them: cryptsetup lib/libdevmapper.c, get_dm_verity_params. */
function optionalArguments({ parameters: p, parity, ...d }: TreeDescription): (string | number)[] {
  const words: (string | number)[] = [];
  if (d.onCorruption !== undefined) words.push(`${d.onCorruption}_on_corruption`);
  if (d.ignoresZeroBlocks === true) words.push('ignore_zero_blocks');
  if (parity !== undefined) {
    words.push('use_fec_from_device', parity.device, 'fec_start', parity.offset / p.dataBlockSize);
    words.push('fec_blocks', parity.blocks, 'fec_roots', parity.roots);
  }
  if (d.signatureKey !== undefined) words.push('root_hash_sig_key_desc', d.signatureKey);
  return words;
}

/**
 * The kernel parameter that makes the device without an initrd. Linux, Documentation/admin-guide/device-mapper/dm-init.rst
 * (needs CONFIG_DM_INIT, which Debian's kernels do not have).
 * @throws {VerityError} 'options_invalid' for a name that would end the field early.
 */
export function formatDmModCreate(d: VerityDescription, name: string): string {
  // Linux, drivers/md/dm-init.c, str_field_delimit: a separator cannot be escaped.
  const why = 'dm-mod.create=; no commas, semicolons, quotes, spaces or backslashes';
  requireFields(/[,;"\s\\]/, why, name, d.dataDevice, d.hashDevice, d.parity?.device);
  return `dm-mod.create="${name},,,ro,${formatDmTable(d)}"`;
}

/** Why the kernel cannot make this device by itself; undefined when it can. */
export function dmModObstacle({ signatureKey }: TreeDescription): string | undefined {
  // Linux, drivers/md/dm-verity-verify-sig.c asks for a key of type 'user'; dm-init runs before anything can add one.
  if (signatureKey === undefined) return undefined;
  return 'dm-mod.create= is read before anybody can have added the key with the signature';
}
