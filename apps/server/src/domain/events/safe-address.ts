// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { ServerError } from '../../error.ts';
import { ipv4Inside } from '../ip-address.ts';

/**
 * Addresses that the service may call by itself. Nothing unless settings say so. Two lists, as Node.js takes every IPv4 address
 * for one of the IPv6 range ::/0.
 */
export interface AllowedAddresses {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

const MAX_RANGES = 256;

/**
 * @param ranges '10.1.0.0/16', '192.0.2.7', '2001:db8::/32'
 * @throws {ServerError} 'configuration_invalid'
 */
export function allowedAddresses(ranges: readonly string[]): AllowedAddresses {
  if (ranges.length > MAX_RANGES) throw invalid(`at most ${MAX_RANGES} ranges of addresses`, String(ranges.length));
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [, address = '', prefix] = /^([0-9a-fA-F:.]{2,45})(?:\/([0-9]{1,3}))?$/.exec(range) ?? [];
    const version = isIP(address);
    const bits = prefix === undefined ? (version === 4 ? 32 : 128) : Number(prefix);
    if (version === 0 || bits > (version === 4 ? 32 : 128))
      throw invalid('an address, or a range such as 10.1.0.0/16', range);
    const family = version === 4 ? 'ipv4' : 'ipv6';
    lists[family].addSubnet(address, bits, family);
  }
  return lists;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The address that a host's name stands for, to be connected to as it is: a name that is looked up again may stand for
 * another. All addresses of the name must be allowed, so that whoever owns the name gains nothing by adding one.
 * @throws {ServerError} 'address_refused'
 */
export async function resolveAllowed(host: string, allowed: AllowedAddresses): Promise<ResolvedAddress> {
  const name = host.replace(/^\[|\]$/g, '');
  const literal = isIP(name);
  const found =
    literal === 0
      ? await lookup(name, { all: true, verbatim: true }).catch((cause: Error) => {
          throw new ServerError('address_refused', `${name}: the name is not known: ${cause.message}`, { cause });
        })
      : [{ address: name, family: literal }];
  const outside = found.find(({ address }) => !isAllowed(address, allowed));
  const [first] = found;
  if (first === undefined || outside !== undefined) {
    const which = outside === undefined ? 'no address' : `the address ${outside.address}`;
    throw new ServerError('address_refused', `${name}: ${which} is not among those that settings allow to be called`);
  }
  return { address: first.address, family: first.family === 6 ? 6 : 4 };
}

function isAllowed(address: string, allowed: AllowedAddresses): boolean {
  // However it is written: a range of IPv6 addresses does not allow what leads to an IPv4 address.
  const inside = ipv4Inside(address);
  if (inside !== undefined) return allowed.ipv4.check(inside, 'ipv4');
  return isIP(address) === 6 ? allowed.ipv6.check(address, 'ipv6') : allowed.ipv4.check(address, 'ipv4');
}

const invalid = (expected: string, found: string): ServerError =>
  new ServerError('configuration_invalid', `addresses that webhooks may reach: expected ${expected}, found '${found}'`);
