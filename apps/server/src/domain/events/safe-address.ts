// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { ServerError } from '../../error.ts';

/** Addresses that the service may call by itself. Nothing unless settings say so. */
export type AllowedAddresses = BlockList;

const MAX_RANGES = 256;

/**
 * @param ranges '10.1.0.0/16', '192.0.2.7', '2001:db8::/32'
 * @throws {ServerError} 'configuration_invalid'
 */
export function allowedAddresses(ranges: readonly string[]): AllowedAddresses {
  if (ranges.length > MAX_RANGES) throw invalid(`at most ${MAX_RANGES} ranges of addresses`, String(ranges.length));
  const list = new BlockList();
  for (const range of ranges) {
    const [, address = '', prefix] = /^([0-9a-fA-F:.]{2,45})(?:\/([0-9]{1,3}))?$/.exec(range) ?? [];
    const version = isIP(address);
    const bits = prefix === undefined ? (version === 4 ? 32 : 128) : Number(prefix);
    if (version === 0 || bits > (version === 4 ? 32 : 128))
      throw invalid('an address, or a range such as 10.1.0.0/16', range);
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
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
  // An IPv4 address in IPv6's clothes is the IPv4 address: RFC 4291, 2.5.5.2.
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return allowed.check(mapped, 'ipv4');
  return allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const invalid = (expected: string, found: string): ServerError =>
  new ServerError('configuration_invalid', `addresses that webhooks may reach: expected ${expected}, found '${found}'`);
