// SPDX-License-Identifier: Apache-2.0
import { ipv4Inside, ipv6Groups } from '../domain/ip-address.ts';

/** Groups of an IPv6 address that a network gives to one customer: a /64. RFC 4291, 2.5.4; RFC 6177. */
const NETWORK_GROUPS = 4;

/**
 * What an address counts as in limits. Whoever has one IPv6 address has a network of 2^64 of them, so these count as one; an
 * IPv4 address in IPv6's clothes is the IPv4 address.
 */
export function addressKey(address: string): string {
  const inside = ipv4Inside(address);
  if (inside !== undefined) return inside;
  const groups = ipv6Groups(address);
  if (groups === undefined) return address;
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
