// SPDX-License-Identifier: Apache-2.0
import { isIPv6 } from 'node:net';

/** Groups of an IPv6 address that a network gives to one customer: a /64. RFC 4291, 2.5.4; RFC 6177. */
const NETWORK_GROUPS = 4;

/**
 * What an address counts as in limits. Whoever has one IPv6 address has a network of 2^64 of them, so these count as one; an
 * IPv4 address in IPv6's clothes is the IPv4 address (RFC 4291, 2.5.5.2).
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...new Array<string>(gap).fill('0'), ...right].slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => group.toLowerCase().replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
