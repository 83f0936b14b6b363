// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { parseHex, parseUtf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { formatVerity, type HashAreaPlace, parseAlgorithm, type VerityParameters } from '@vouchsafe/verity';

export const UUID = 'a60c98d2-ae9b-4865-bfcb-b4e3ace11033';

/** A file of testdata/. */
export function treeTestdata(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../testdata/${name}`, import.meta.url)));
}

/** The rows of a tab-separated table of testdata/, with its header line. */
export function tableRows(name: string): Record<string, string>[] {
  const [header = '', ...lines] = parseUtf8(treeTestdata(name)).trimEnd().split('\n');
  const names = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, i) => [names[i] as string, cell])));
}

/** What a command line of `veritysetup format` says about the tree. */
export interface TreeOptions {
  readonly parameters: Omit<VerityParameters, 'dataBlocks'>;
  readonly dataBlocks: number | undefined;
  readonly place: HashAreaPlace;
  readonly fecRoots: number;
}

export function treeOptions(args: string): TreeOptions {
  const value = (name: string): string | undefined => new RegExp(`--${name}=(\\S+)`).exec(args)?.[1];
  const number = (name: string, otherwise: number): number => Number(value(name) ?? otherwise);
  const salt = value('salt') ?? '-';
  const dataBlocks = value('data-blocks');
  return {
    parameters: {
      hashType: number('format', 1) === 0 ? 0 : 1,
      algorithm: parseAlgorithm(value('hash') ?? 'sha256'),
      dataBlockSize: number('data-block-size', 4096),
      hashBlockSize: number('hash-block-size', 4096),
      salt: salt === '-' ? new Uint8Array(0) : parseHex(salt),
    },
    dataBlocks: dataBlocks === undefined ? undefined : Number(dataBlocks),
    place: { offset: number('hash-offset', 0), hasSuperblock: !args.includes('--no-superblock') },
    fecRoots: number('fec-roots', 2),
  };
}

export interface MemoryTree {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly hash: Uint8Array;
  readonly rootHash: Uint8Array;
}

/** The tree that we make, in memory. */
export async function formatInMemory(data: Uint8Array, options: TreeOptions, uuid: string = UUID): Promise<MemoryTree> {
  const { place } = options;
  const dataBlocks = options.dataBlocks ?? data.length / options.parameters.dataBlockSize;
  const parameters = { ...options.parameters, dataBlocks };
  const sink = new MemorySink(64 * 1024 * 1024);
  const rootHash = await formatVerity({ data: memorySource(data, 'data'), parameters, place, hash: sink, uuid });
  return { parameters, place, hash: sink.bytes(), rootHash };
}
