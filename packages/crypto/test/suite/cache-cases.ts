// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '@vouchsafe/base';
import type { Case, Subject } from './case.ts';

export function cacheCases({ entry, vectors }: Subject): Case[] {
  const [a, b, c] = ['p-256', 'rsa-1024', 'ed25519'].map((name) => parseHex(vectors.keys[name]!)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  return [
    {
      name: 'PublicKeyCache: gives the same key again, and forgets the least recently used',
      run(check) {
        const cache = new entry.PublicKeyCache(2);
        const first = cache.import(a);
        check.same(cache.import(a.slice()), first, 'a hit, by value');
        const second = cache.import(b);
        check.same(cache.import(b), second, 'a hit in a full cache');
        check.same(cache.import(b), second, 'drives nothing out');
        check.same(cache.import(a), first, 'a is now the more recent');
        cache.import(c);
        check.same(cache.size, 2);
        check.same(cache.import(a), first, 'a stayed');
        check.same(cache.import(b) === second, false, 'b went');
        check.same(cache.size, 2);
      },
    },
    {
      name: 'PublicKeyCache: what is no key takes no room',
      run(check) {
        const cache = new entry.PublicKeyCache(1);
        const key = cache.import(a);
        for (let n = 0; n < 20; n++) check.throwsCode('invalid_key', () => cache.import(a.subarray(0, n)));
        check.throwsCode('invalid_key', () => cache.import(new Uint8Array(1_000_000)));
        check.same(cache.import(a), key);
        check.same(cache.size, 1);
        for (const size of [0, -1, 1.5, Number.NaN]) {
          let name = 'nothing thrown';
          try {
            new entry.PublicKeyCache(size);
          } catch (error) {
            name = (error as Error).name;
          }
          check.same(name, 'RangeError', `${size}`);
        }
      },
    },
  ];
}
