// SPDX-License-Identifier: Apache-2.0

/**
 * The generator of CVE-2017-15361 made primes as k * M + (65537^a mod M), M being a product of the first primes, so the
 * modulus is a power of 65537 modulo each of them. Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's
 * Attack", CCS 2017, section 2. M of 512-bit keys, the smallest, is the product of the primes up to 167; larger keys have
 * more, so these are enough to tell, with one chance in 2^27 of a false alarm.
 */
const GENERATOR = 65_537n;
const LAST_PRIME = 167;

const POWERS: readonly { readonly prime: bigint; readonly powers: ReadonlySet<bigint> }[] = primes(LAST_PRIME).map(
  (prime) => ({ prime, powers: powersModulo(prime) }),
);

/**
 * Whether an RSA modulus has the shape of those that Infineon's library made until 2017: their private keys can be
 * computed. TPMs with that library hold such endorsement keys.
 */
export function isRocaModulus(modulus: bigint): boolean {
  return POWERS.every(({ prime, powers }) => powers.has(modulus % prime));
}

function primes(last: number): bigint[] {
  const found: number[] = [];
  for (let candidate = 3; candidate <= last; candidate += 2) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found.map(BigInt);
}

function powersModulo(prime: bigint): ReadonlySet<bigint> {
  const powers = new Set<bigint>();
  for (let power = 1n; !powers.has(power); power = (power * GENERATOR) % prime) powers.add(power);
  return powers;
}
