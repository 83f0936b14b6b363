// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from '@vouchsafe/base';
import type { SizeNode, SizeReport } from '@vouchsafe/image';

/** How much of the whole something must take to be listed, and how deep the list goes. */
const LEAST_SHARE = 0.01;
const MAX_DEPTH = 5;
const NAME_WIDTH = 46;

/** What takes the space, for people: largest first. */
export function sizesText({ whole, files, packages }: SizeReport, top: number): string {
  const table = (title: string, rows: readonly (readonly [name: string, sizeBytes: number])[]): string[] =>
    rows.length === 0
      ? []
      : ['', title, ...rows.map(([name, sizeBytes]) => row(`  ${name}`, sizeBytes, whole.sizeBytes))];
  return [
    ...treeLines(whole, whole.sizeBytes, 0),
    ...table(
      `largest packages, of ${packages.length}`,
      packages.slice(0, top).map(({ name, version, sizeBytes }) => [`${name} ${version}`.trim(), sizeBytes] as const),
    ),
    ...table(
      `largest files, of ${files.length}`,
      files.slice(0, top).map(({ name, sizeBytes }) => [name, sizeBytes] as const),
    ),
  ].join('\n');
}

function treeLines(node: SizeNode, total: number, depth: number): string[] {
  const line = row(`${'  '.repeat(depth)}${node.name}`, node.sizeBytes, total);
  if (depth >= MAX_DEPTH) return [line];
  const isListed = ({ sizeBytes }: SizeNode): boolean => sizeBytes >= LEAST_SHARE * total;
  const small = node.children.filter((child) => !isListed(child));
  const smallBytes = small.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const others =
    small.length > 0 && smallBytes >= LEAST_SHARE * total
      ? [row(`${'  '.repeat(depth + 1)}${small.length} smaller ones`, smallBytes, total)]
      : [];
  return [line, ...node.children.filter(isListed).flatMap((child) => treeLines(child, total, depth + 1)), ...others];
}

function row(name: string, sizeBytes: number, total: number): string {
  const share = total === 0 ? 0 : (100 * sizeBytes) / total;
  return `${name.padEnd(NAME_WIDTH)} ${formatBytes(sizeBytes).padStart(9)} ${share.toFixed(1).padStart(6)} %`;
}
