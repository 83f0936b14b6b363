// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { TpmBank } from '@vouchsafe/tpm';
import { bestBank, type DescribedEvent, describeLog } from './describe.ts';
import { digestOf } from './event.ts';
import type { BootLog } from './log.ts';
import { isTdxLog, registerName } from './registers.ts';

/** How an event of one boot stands to the other boot. */
export type EventChange =
  | { readonly kind: 'added'; readonly register: string; readonly after: DescribedEvent }
  | { readonly kind: 'removed'; readonly register: string; readonly before: DescribedEvent }
  /** The same thing, with another digest. */
  | {
      readonly kind: 'changed';
      readonly register: string;
      readonly before: DescribedEvent;
      readonly after: DescribedEvent;
    };

export interface LogDiff {
  /** The bank that was compared. */
  readonly bank: TpmBank;
  readonly changes: readonly EventChange[];
  /** Events that are the same in both. */
  readonly unchanged: number;
}

/** Cells of the table of the exact comparison, 4 MiB of counts; longer stretches are taken as changed altogether. */
const MAX_CELLS = 1024 * 1024;

/**
 * Which events changed between two boots, register by register, since only the order within one is measured. Events are
 * compared by their digests; where a digest went and another came for the same thing, that is one change.
 * @returns undefined where the logs have no bank in common
 */
export function diffLogs(before: BootLog, after: BootLog, bank?: TpmBank): LogDiff | undefined {
  const common = bank ?? commonBank(before, after);
  if (common === undefined) return undefined;
  const [old, now] = [byRegister(before, common), byRegister(after, common)];
  const changes: EventChange[] = [];
  let unchanged = 0;
  for (const register of [...new Set([...old.keys(), ...now.keys()])].sort(compareRegisters)) {
    const result = diffRegister(register, old.get(register) ?? [], now.get(register) ?? [], common);
    changes.push(...result.changes);
    unchanged += result.unchanged;
  }
  return { bank: common, changes, unchanged };
}

function commonBank(a: BootLog, b: BootLog): TpmBank | undefined {
  const [best, other] = [bestBank(a), b.kind === 'ima' ? [b.templateHash] : b.banks];
  if (best !== undefined && other.includes(best)) return best;
  return (a.kind === 'ima' ? [a.templateHash] : a.banks).find((name) => other.includes(name));
}

function compareRegisters(a: string, b: string): number {
  const [x, y] = [Number(a.split(' ')[1]), Number(b.split(' ')[1])];
  return Number.isNaN(x) || Number.isNaN(y) ? (a < b ? -1 : 1) : x - y;
}

function byRegister(log: BootLog, bank: TpmBank): Map<string, DescribedEvent[]> {
  const registers = new Map<string, DescribedEvent[]>();
  const isTdx = isTdxLog(log);
  for (const described of describeLog(log, bank)) {
    const { event } = described;
    if (described.trust === 'unmeasured') continue;
    const register = registerName(event, isTdx);
    const list = registers.get(register);
    if (list === undefined) registers.set(register, [described]);
    else list.push(described);
  }
  return registers;
}

interface RegisterDiff {
  readonly changes: readonly EventChange[];
  readonly unchanged: number;
}

function diffRegister(
  register: string,
  old: readonly DescribedEvent[],
  now: readonly DescribedEvent[],
  bank: TpmBank,
): RegisterDiff {
  const key = ({ event }: DescribedEvent): string =>
    toHex(digestOf(event, bank) ?? event.digests[0]?.digest ?? event.data);
  const [left, right] = [old.map(key), now.map(key)];
  const same = commonPairs(left, right);
  const changes: EventChange[] = [];
  let [i, j] = [0, 0];
  for (const [x, y] of [...same, [old.length, now.length] as const]) {
    changes.push(...between(register, old.slice(i, x), now.slice(j, y)));
    [i, j] = [x + 1, y + 1];
  }
  return { changes, unchanged: same.length };
}

/** A stretch in which nothing is the same: what has a namesake changed, the rest went or came. */
function between(register: string, old: readonly DescribedEvent[], now: readonly DescribedEvent[]): EventChange[] {
  const partners = commonPairs(old.map(subjectOf), now.map(subjectOf));
  const changes: EventChange[] = [];
  let [i, j] = [0, 0];
  for (const [x, y] of [...partners, [old.length, now.length] as const]) {
    for (; i < x; i++) changes.push({ kind: 'removed', register, before: old[i] as DescribedEvent });
    for (; j < y; j++) changes.push({ kind: 'added', register, after: now[j] as DescribedEvent });
    if (x < old.length) {
      changes.push({ kind: 'changed', register, before: old[x] as DescribedEvent, after: now[y] as DescribedEvent });
    }
    [i, j] = [x + 1, y + 1];
  }
  return changes;
}

/** What an event is about, whatever its value: the same subject with another digest is a change. */
function subjectOf({ event, content }: DescribedEvent): string {
  const { type } = event;
  switch (content.kind) {
    case 'variable':
      return `${type} ${content.variable.variableName} ${content.variable.unicodeName}`;
    case 'imageLoad':
      return `${type} ${content.file ?? content.path ?? ''}`;
    case 'text':
      return content.meaning === undefined ? `${type}` : `${type} ${content.meaning.what} ${nameOf(content.meaning)}`;
    case 'tagged':
      return `${type} ${content.tag}`;
    case 'firmwareBlob':
      return `${type} ${content.description ?? content.blobBase}`;
    case 'ima':
      return content.entry.kind === 'file' ? `ima ${content.entry.file.path}` : `ima ${content.entry.kind}`;
    case 'userspace':
      return `${content.content.eventType} ${(content.content.string ?? '').split(':')[0]}`;
    default:
      return String(type);
  }
}

/** A file's or a section's name says which one it is; of a command, its first word does. */
function nameOf({ what, argument }: { readonly what: string; readonly argument: string }): string {
  if (what === 'kernel command line' || what === 'module command line' || what === 'load options') return '';
  return what === 'command' ? (argument.split(' ')[0] ?? '') : argument;
}

/** Indices of a longest common subsequence, in order. */
function commonPairs(left: readonly string[], right: readonly string[]): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  const least = Math.min(left.length, right.length);
  let head = 0;
  while (head < least && left[head] === right[head]) {
    pairs.push([head, head]);
    head++;
  }
  let tail = 0;
  while (tail < least - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  const [rows, columns] = [left.length - head - tail, right.length - head - tail];
  if ((rows + 1) * (columns + 1) <= MAX_CELLS) pairs.push(...longest(left, right, head, rows, columns));
  for (let i = tail; i > 0; i--) pairs.push([left.length - i, right.length - i]);
  return pairs;
}

function longest(
  left: readonly string[],
  right: readonly string[],
  head: number,
  rows: number,
  columns: number,
): (readonly [number, number])[] {
  const width = columns + 1;
  const counts = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const below = counts[(i + 1) * width + j] as number;
      const beside = counts[i * width + j + 1] as number;
      const isSame = left[head + i] === right[head + j];
      counts[i * width + j] = isSame ? (counts[(i + 1) * width + j + 1] as number) + 1 : Math.max(below, beside);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  let [i, j] = [0, 0];
  while (i < rows && j < columns) {
    if (left[head + i] === right[head + j]) pairs.push([head + i++, head + j++]);
    else if ((counts[(i + 1) * width + j] as number) >= (counts[i * width + j + 1] as number)) i++;
    else j++;
  }
  return pairs;
}
