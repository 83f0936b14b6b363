// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { bytesOf } from './support.ts';

export interface MadeMember {
  readonly name: string | Uint8Array;
  readonly type?: string;
  readonly content?: Uint8Array | string;
  readonly link?: string;
  /** Octets of the header, changed before the checksum is made. */
  readonly edit?: (header: Uint8Array) => void;
  /** What the header says, where that is not the size of the content. */
  readonly size?: number;
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

/** A tar archive by hand, so that it may be as wrong as a test needs it. */
export function makeTar(members: readonly MadeMember[], hasEnd = true): Uint8Array {
  const parts = members.flatMap((member) => {
    const content =
      typeof member.content === 'string' ? bytesOf(member.content) : (member.content ?? new Uint8Array(0));
    return [makeHeader(member, content.length), content, new Uint8Array(-content.length & 511)];
  });
  return concatBytes(...parts, new Uint8Array(hasEnd ? 1024 : 0));
}

function makeHeader({ name, type = '0', link = '', edit, size }: MadeMember, contentBytes: number): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, value: string | Uint8Array): void => {
    header.set(typeof value === 'string' ? bytesOf(value) : value, at);
  };
  put(0, name);
  put(100, octal(0o644, 7));
  put(108, octal(1, 7));
  put(116, octal(2, 7));
  put(124, octal(size ?? contentBytes, 11));
  put(136, octal(3, 11));
  put(156, type);
  put(157, link);
  put(257, 'ustar\x0000');
  edit?.(header);
  return withChecksum(header);
}

/** The checksum made to fit, so that a changed header is believed. */
export function withChecksum(header: Uint8Array): Uint8Array {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, octet) => total + octet, 0);
  header.set(bytesOf(`${octal(sum, 6)} `), 148);
  return header;
}

/** A pax record with its length. */
export function paxRecord(key: string, value: string | Uint8Array): Uint8Array {
  const octets = typeof value === 'string' ? bytesOf(value) : value;
  const rest = concatBytes(bytesOf(` ${key}=`), octets, bytesOf('\n'));
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return concatBytes(bytesOf(String(length)), rest);
}

/** An extended header for the next member. */
export function paxMember(...records: readonly (readonly [key: string, value: string | Uint8Array])[]): MadeMember {
  return { name: 'pax', type: 'x', content: concatBytes(...records.map(([key, value]) => paxRecord(key, value))) };
}
