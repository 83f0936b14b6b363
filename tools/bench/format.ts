// SPDX-License-Identifier: Apache-2.0
import type { BenchDocument, CaseResult, SideResult, Statistics } from './types.ts';

/** The document as text: a block a case, minimum and median of each time, and the ratios. */
export function formatBench(document: BenchDocument): string {
  const { machine, runs } = document;
  const head = `${document.bench}: ${document.description}`;
  const where = `${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}; minimum and median of ${runs} runs each`;
  return [head, where, ...document.cases.map(formatCase)].join('\n\n');
}

function formatCase({ name, ours, peer, missingTool, ratios, goals }: CaseResult): string {
  const width = Math.max(ours.label.length, peer?.label.length ?? 0, 'peer / ours'.length);
  const lines = [name, formatSide(ours, width)];
  if (peer !== null) lines.push(formatSide(peer, width));
  if (missingTool !== undefined) lines.push(`  no peer: ${missingTool} is not on this machine`);
  if (ratios !== null) {
    const parts = [part('CPU', ratios.cpuMs, formatRatio), part('wall', ratios.wallMs, formatRatio)].flat();
    lines.push(`  ${'peer / ours'.padEnd(width)}  ${parts.join('   ')}`);
  }
  for (const { text, actual, isMet } of goals) {
    lines.push(`  goal: ${text}: ${actual === null ? '' : `${actual.toFixed(2)}, `}${formatMet(isMet)}`);
  }
  return lines.join('\n');
}

function formatSide({ label, cpuMs, wallMs, peakKib }: SideResult, width: number): string {
  const parts = [part('CPU', cpuMs, formatMs), part('wall', wallMs, formatMs)].flat();
  if (peakKib !== null) parts.push(`peak ${(peakKib / 1024).toFixed(1)} MiB`);
  return `  ${label.padEnd(width)}  ${parts.join('   ')}`;
}

function part(name: string, values: Statistics | null, format: (value: number) => string): string[] {
  return values === null ? [] : [`${name} ${format(values.minimum)} ${format(values.median)}`];
}

function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1000).toFixed(2)} µs`;
}

function formatRatio(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

function formatMet(isMet: boolean | null): string {
  if (isMet === null) return 'not known, the peer is missing';
  return isMet ? 'met' : 'missed';
}
