// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { encodeLongName } from './long-name.ts';
import type { FatNode } from './plan.ts';
import { encodeShortName, isShortName, shortNameChecksum } from './short-name.ts';
import { FAT_ATTRIBUTES, fatDirectoryEntry } from './structures.ts';
import type { FatTimestamp } from './timestamp.ts';

/**
 * The entries of a directory.
 * @param parent first cluster of the directory above, 0 for the root; undefined for the root itself.
 * @param label 11 octets, in the root.
 */
export function encodeDirectory(
  directory: FatNode,
  parent: number | undefined,
  timestamp: FatTimestamp,
  label: Uint8Array | undefined,
): Uint8Array {
  const bytes = new Uint8Array(directory.sizeBytes);
  let at = 0;
  const put = (part: Uint8Array): void => {
    bytes.set(part, at);
    at += part.length;
  };
  const putEntry = (name: Uint8Array, attributes: number, cluster: number, sizeBytes: number): void => {
    put(encodeEntry(name, attributes, cluster, sizeBytes, timestamp));
  };
  if (label !== undefined) putEntry(label, FAT_ATTRIBUTES.volumeLabel, 0, 0);
  if (parent !== undefined) {
    putEntry(ascii('.'.padEnd(11)), FAT_ATTRIBUTES.directory, directory.firstCluster, 0);
    putEntry(ascii('..'.padEnd(11)), FAT_ATTRIBUTES.directory, parent, 0);
  }
  for (const { name, shortName, content, firstCluster } of directory.children) {
    const short = encodeShortName(shortName);
    if (!isShortName(name)) put(encodeLongName(name, shortNameChecksum(short)));
    const attributes = content === undefined ? FAT_ATTRIBUTES.directory : FAT_ATTRIBUTES.archive;
    putEntry(short, attributes, firstCluster, content?.size ?? 0);
  }
  return bytes;
}

function encodeEntry(
  name: Uint8Array,
  attributes: number,
  cluster: number,
  sizeBytes: number,
  { date, time, tenths }: FatTimestamp,
): Uint8Array {
  return encode(fatDirectoryEntry, {
    name,
    attributes,
    caseFlags: 0,
    creationTenths: tenths,
    creationTime: time,
    creationDate: date,
    accessDate: date,
    clusterHigh: cluster >>> 16,
    writeTime: time,
    writeDate: date,
    clusterLow: cluster & 0xffff,
    sizeBytes,
  });
}
