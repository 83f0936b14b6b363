// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type HashAreaPlace, treeLayout, type VerityParameters } from '@vouchsafe/verity';

/** What there is to say of a tree; what is undefined is left out. */
export interface HeaderFacts {
  readonly hashPath: string;
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly uuid: string | undefined;
  readonly rootHash?: Uint8Array | undefined;
  readonly fec?: { readonly roots: number; readonly blocks: number; readonly sizeBytes: number } | undefined;
}

const saltText = (salt: Uint8Array): string => (salt.length === 0 ? '-' : toHex(salt));

function facts({ parameters: p, place, uuid, rootHash, fec }: HeaderFacts) {
  const layout = treeLayout(p, place);
  return {
    uuid: uuid ?? '',
    hashType: p.hashType,
    dataBlocks: p.dataBlocks,
    dataBlockSize: p.dataBlockSize,
    hashBlocks: layout.levels.reduce((sum, level) => sum + level.blocks, 0),
    hashBlockSize: p.hashBlockSize,
    hashAlgorithm: p.algorithm,
    fec,
    salt: saltText(p.salt),
    rootHash: rootHash && toHex(rootHash),
    hashDeviceSize: layout.end,
  };
}

/** Line by line as veritysetup prints it, so that what reads its output reads ours. */
export function headerText(header: HeaderFacts): string {
  const f = facts(header);
  const lines: [string, string | number][] = [
    ['UUID:            ', f.uuid],
    ['Hash type:       ', f.hashType],
    ['Data blocks:     ', f.dataBlocks],
    ['Data block size: ', f.dataBlockSize],
    ['Hash blocks:     ', f.hashBlocks],
    ['Hash block size: ', f.hashBlockSize],
    ['Hash algorithm:  ', f.hashAlgorithm],
  ];
  if (f.fec) lines.push(['FEC RS roots:   ', f.fec.roots], ['FEC blocks:     ', f.fec.blocks]);
  lines.push(['Salt:            ', f.salt]);
  if (f.rootHash !== undefined) lines.push(['Root hash:      ', f.rootHash]);
  lines.push(['Hash device size: ', `${f.hashDeviceSize} [bytes]`]);
  if (f.fec) lines.push(['FEC device size: ', `${f.fec.sizeBytes} [bytes]`]);
  const body = lines.map(([name, value]) => `${name}\t${value}`);
  return [`VERITY header information for ${header.hashPath}`, ...body].join('\n');
}

/** The same as a document. */
export function headerDocument(header: HeaderFacts): Record<string, unknown> {
  const { fec, rootHash, ...rest } = facts(header);
  return { ...rest, ...(rootHash === undefined ? {} : { rootHash }), ...(fec === undefined ? {} : { fec }) };
}
