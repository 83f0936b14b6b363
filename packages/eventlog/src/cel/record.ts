// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import type { EventDigest, LogEvent } from '../event.ts';
import { TCG_EVENT_TYPES, type TcgEventType } from '../tcg/event-type.ts';
import { systemdContent, systemdData } from '../userspace/json-record.ts';
import type { CelManagement } from './management.ts';

/** What a record holds, by its content type. TCG Canonical Event Log Format 1.1, section 4.2, table 2. */
export const CEL_CONTENT = { cel: 4, pcclient_std: 5, ima_template: 7, ima_tlv: 8, systemd: 9 } as const;
export type CelContentName = keyof typeof CEL_CONTENT;

/** A record in whichever encoding, its content told apart. */
export interface CelRecord {
  readonly recnum: bigint;
  readonly register: { readonly pcr: number } | { readonly nvIndex: number };
  readonly digests: readonly EventDigest[];
  readonly content: CelContent;
  /** The register is one of a confidential machine, counted as its CCEL does. */
  readonly isConfidential?: true;
}

export type CelContent =
  | { readonly kind: 'management'; readonly management: CelManagement }
  | { readonly kind: 'pcclient'; readonly eventType: TcgEventType | number; readonly eventData: Uint8Array }
  | { readonly kind: 'ima'; readonly templateName: string; readonly templateData: Uint8Array }
  | { readonly kind: 'systemd'; readonly json: Readonly<Record<string, unknown>> }
  /** Content of a type without a name here; the octets as they are. */
  | { readonly kind: 'other'; readonly type: string | number; readonly data: Uint8Array };

const NAMES = new Map<number, TcgEventType>(
  Object.entries(TCG_EVENT_TYPES).map(([name, value]) => [value, name as TcgEventType]),
);
const NUMBERS = new Map<string, number>(Object.entries(TCG_EVENT_TYPES));

/**
 * An event type of the PC Client profile, which encodings write as a name or a number.
 * @throws {CodecError}
 */
export function pcClientType(value: unknown): TcgEventType | number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) {
    return NAMES.get(value) ?? value;
  }
  if (typeof value === 'string') {
    const name = value.toUpperCase();
    if (NUMBERS.has(name)) return name as TcgEventType;
    if (/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(value)) return pcClientType(Number(value));
  }
  throw new CodecError('unknown_value', 0, 'expected the name or number of an event type');
}

/** One record as an event of the model. */
export function eventOfRecord({ register, digests, content }: CelRecord, index: number, offset: number): LogEvent {
  const place = { index, offset, digests, ...register };
  switch (content.kind) {
    case 'pcclient':
      return { ...place, source: 'tcg', type: content.eventType, data: content.eventData };
    case 'ima':
      return { ...place, source: 'ima', type: content.templateName, data: content.templateData };
    case 'systemd': {
      const systemd = systemdContent(content.json);
      const named = 'pcr' in register || systemd.nvIndexName === undefined ? {} : { nvName: systemd.nvIndexName };
      const type = systemd.eventType ?? 'unknown';
      return { ...place, ...named, source: 'userspace', type, data: systemdData(systemd), content: systemd };
    }
    case 'management':
      return { ...place, source: 'cel', type: 'cel', data: utf8(''), management: content.management };
    case 'other':
      return { ...place, source: 'cel', type: content.type, data: content.data };
  }
}
