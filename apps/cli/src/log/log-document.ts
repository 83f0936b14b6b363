// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { DescribedEvent, EventDigest, LogFinding } from '@vouchsafe/eventlog';
import { formatBank, type TpmBank } from '@vouchsafe/tpm';
import type { NamedLog } from './read-log.ts';

/** An event as JSON: bytes in hexadecimal, numbers of 64 bits as text. */
export function eventDocument({ event, stage, content, trust, summary }: DescribedEvent): object {
  const { source, index, offset, type, digests, data } = event;
  return {
    index,
    source,
    stage,
    ...(event.pcr === undefined ? { nvPcr: event.nvName ?? event.nvIndex } : { pcr: event.pcr }),
    type,
    digests: Object.fromEntries(digests.map(({ bank, digest }: EventDigest) => [formatBank(bank), toHex(digest)])),
    trust,
    summary,
    content: plain(content),
    data: toHex(data),
    offset,
  };
}

/** Bytes in hexadecimal, maps as objects, all the way down. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  if (value instanceof Error) return value.message;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/** What a log is, without its events. */
export function headDocument({ path, log }: NamedLog, bank: TpmBank | undefined): Record<string, unknown> {
  return {
    file: path,
    kind: log.kind,
    ...('format' in log ? { format: log.format } : {}),
    banks: log.kind === 'ima' ? [log.templateHash] : log.banks.map(formatBank),
    ...(bank === undefined ? {} : { bank: formatBank(bank) }),
    eventCount: log.events.length,
  };
}

/** A finding as a line for people. */
export function findingText({ code, severity, where, expected, actual, hint }: LogFinding): string {
  const place = [
    where.pcr === undefined ? '' : `PCR ${where.pcr}`,
    where.bank ?? '',
    where.event === undefined ? '' : `event ${where.event}`,
  ].filter((part) => part !== '');
  const values =
    actual === undefined ? '' : `: found ${actual}${expected === undefined ? '' : `, expected ${expected}`}`;
  return `${severity}: ${[where.artefact, ...place].join(', ')}: ${code}${values}. ${hint}.`;
}
