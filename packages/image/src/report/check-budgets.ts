// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from '@vouchsafe/base';
import type { ManifestBudgets } from '@vouchsafe/manifest';
import { ImageError } from '../error.ts';
import { NO_PACKAGE } from './package-sizes.ts';
import { bySize, type SizeNode } from './size-node.ts';
import type { SizeReport } from './size-report.ts';

/** What an image needs, by the names of its budgets. */
export type ImageSizes = Readonly<Record<'diskBytes' | 'rootBytes' | 'ukiBytes' | 'initrdBytes', number>>;

const NAMES = { diskBytes: 'disk', rootBytes: 'root', ukiBytes: 'uki', initrdBytes: 'initrd' } as const;
const SHOWN = 5;

/**
 * Sizes are within their budgets.
 * @param report what takes the space, which is part of the message when one is not.
 * @throws {ImageError} 'budget_exceeded'
 */
export function requireBudgets(budgets: ManifestBudgets, sizes: ImageSizes, report: SizeReport): void {
  const over = Object.entries(NAMES).flatMap(([key, name]) => {
    const [most, is] = [budgets[key as keyof ImageSizes], sizes[key as keyof ImageSizes]];
    if (most === undefined || is <= most) return [];
    return [`${name}: expected at most ${amount(most)}, found ${amount(is)}, ${formatBytes(is - most)} too many`];
  });
  if (over.length === 0) return;
  throw new ImageError('budget_exceeded', [...over, ...reasons(report)].join('\n  '));
}

const amount = (bytes: number): string => `${formatBytes(bytes)} (${bytes} octets)`;

function reasons({ whole, files, packages }: SizeReport): string[] {
  const named = packages.filter(({ name }) => name !== NO_PACKAGE);
  const line = (what: string, items: readonly { readonly name: string; readonly sizeBytes: number }[]): string[] => {
    const shown = bySize(items).slice(0, SHOWN);
    return shown.length === 0
      ? []
      : [`${what}: ${shown.map((item) => `${item.name} ${formatBytes(item.sizeBytes)}`).join(', ')}`];
  };
  return [
    ...line('partitions', whole.children),
    ...line('sections of the UKI', largestProgram(whole)?.children ?? []),
    ...line('packages', named),
    ...line('files', files),
    'take something out (rules), compress the root (root.compression: lz4), or raise the budget',
  ];
}

function largestProgram(node: SizeNode): SizeNode | undefined {
  const programs: SizeNode[] = [];
  const visit = (at: SizeNode): void => {
    if (at.kind === 'program') programs.push(at);
    else for (const child of at.children) visit(child);
  };
  visit(node);
  return bySize(programs)[0];
}
