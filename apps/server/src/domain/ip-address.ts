// SPDX-License-Identifier: Apache-2.0
import { isIP, isIPv4 } from 'node:net';

const GROUPS = 8;

/** The eight groups of 16 bits of an IPv6 address, in whichever way it is written (RFC 4291, 2.2); undefined for another text. */
export function ipv6Groups(text: string): readonly number[] | undefined {
  const [plain = ''] = text.split('%');
  if (isIP(plain) !== 6) return undefined;
  const last = plain.slice(plain.lastIndexOf(':') + 1);
  const dotted = isIPv4(last) ? last.split('.').map(Number) : undefined;
  const [a = 0, b = 0, c = 0, d = 0] = dotted ?? [];
  const tail = dotted === undefined ? last : [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(':');
  const written = plain.slice(0, plain.length - last.length) + tail;
  const [head = '', rest] = written.split('::');
  const groupsOf = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [left, right] = [groupsOf(head), groupsOf(rest ?? '')];
  return [...left, ...new Array<number>(Math.max(0, GROUPS - left.length - right.length)).fill(0), ...right];
}

/** Networks in whose addresses an IPv4 address is the last 32 bits: mapped (RFC 4291, 2.5.5.2), translated (RFC 6052, 2.1). */
const IPV4_INSIDE: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/** The IPv4 address that an IPv6 address leads to; undefined where it leads to none. */
export function ipv4Inside(text: string): string | undefined {
  const groups = ipv6Groups(text);
  if (groups === undefined || !IPV4_INSIDE.some((network) => network.every((group, i) => groups[i] === group))) {
    return undefined;
  }
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}
