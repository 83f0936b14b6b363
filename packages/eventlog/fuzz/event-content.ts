// SPDX-License-Identifier: Apache-2.0
import { parseHex, utf8 } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';
import {
  decodeDevicePath,
  decodeEventData,
  decodeLoadOption,
  decodeWbcl,
  devicePathText,
  imaEntryOf,
  type LogEvent,
  summaryOf,
  TCG_EVENT_TYPES,
  type TcgEventType,
  trustOf,
} from '@vouchsafe/eventlog';
import type { FuzzTarget } from '@vouchsafe/testing';

const TYPES = Object.keys(TCG_EVENT_TYPES) as TcgEventType[];
const TEMPLATES = ['ima', 'ima-ng', 'ima-sigv2', 'ima-buf', 'ima-modsig', 'evm-sig', 'd-ng|n-ng'];

/** What throws coded errors for what it cannot read. */
const READERS: readonly ((bytes: Uint8Array) => unknown)[] = [
  decodeDevicePath,
  devicePathText,
  decodeLoadOption,
  decodeWbcl,
];

/** The data of an event of any type, of any octets: decoded, or raw. */
export const target: FuzzTarget = {
  name: 'event-content',
  seeds: () => [
    parseHex(
      '02010c00d041030a0000000001010600000104042000' +
        '5c004500460049005c0042004f004f0054002e0045004600490000007fff0400',
    ),
    parseHex('010000000a00' + '41000000' + '01010600000f7fff0400'),
    utf8('SP800-155 Event3\0\0\0\0 and what follows'),
    utf8('grub_cmd: linux /vmlinuz\0'),
  ],
  run(bytes) {
    for (const type of TYPES) {
      const digests = [{ bank: 'sha256', digest: bytes.subarray(0, 32) }] as const;
      const event: LogEvent = { source: 'tcg', index: 0, offset: 0, pcr: 4, type, digests, data: bytes };
      const content = decodeEventData(event);
      summaryOf(event, content);
      // Hashing is most of the time, and does not differ.
      if (bytes[0] === undefined || type === TYPES[bytes[0] % TYPES.length]) trustOf(event, 'sha256', content);
    }
    for (const template of TEMPLATES) imaEntryOf(template, bytes);
    for (const read of READERS) {
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }
  },
};
