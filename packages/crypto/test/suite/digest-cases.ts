// SPDX-License-Identifier: Apache-2.0
import { parseHex, toHex, utf8 } from '@vouchsafe/base';
import type { Case, Subject } from './case.ts';
import { DIGEST_ANSWERS, HMAC_ANSWERS } from './digest-answers.ts';

const MESSAGES = [utf8(''), utf8('abc'), utf8('a'.repeat(1000))];

function latin1ToHex(text: string): string {
  return toHex(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

export function digestCases({ entry }: Subject): Case[] {
  const available = entry.DIGEST_ALGORITHMS.filter((algorithm) => entry.isDigestAvailable(algorithm));
  const each = available.map(
    (algorithm): Case => ({
      name: `digest ${algorithm}: known answers by every way to compute one`,
      run(check) {
        MESSAGES.forEach((message, i) => {
          const answer = DIGEST_ANSWERS[algorithm][i];
          const value = entry.digest(algorithm, message);
          check.same(toHex(value), answer, 'digest');
          check.same(value.constructor, Uint8Array, 'a plain array, not a Buffer');
          check.same(value.length, entry.digestSize(algorithm), 'digestSize');
          check.same(latin1ToHex(entry.latin1Digester(algorithm)(message)), answer, 'latin1Digester');
          for (const cut of [0, 1, 64, 127, message.length]) {
            const started = entry.startDigest(algorithm);
            const parts = started.update(message.subarray(0, cut)).update(message.subarray(cut));
            const copied = started.copy();
            check.same(toHex(parts.digest()), answer, `startDigest, cut at ${cut}`);
            check.same(toHex(copied.digest()), answer, `startDigest, copied, cut at ${cut}`);
          }
          const target = new Uint8Array(value.length + 7).fill(0xee);
          const write = entry.digestWriter(algorithm, target.subarray(1, -1));
          write(message, 3);
          check.same(toHex(target), `eeeeeeee${answer}eeeeee`, 'digestWriter');
        });
      },
    }),
  );
  return [
    ...each,
    {
      name: 'digest: a writer whose digest would not fit writes nothing',
      run(check) {
        const target = new Uint8Array(40);
        const write = entry.digestWriter('sha256', target);
        for (const at of [-1, 9, 40, 41, Number.NaN]) {
          let name = 'nothing thrown';
          try {
            write(utf8('abc'), at);
          } catch (error) {
            name = (error as Error).name;
          }
          check.same(name, 'RangeError', `at ${at}`);
        }
        check.same(toHex(target), '00'.repeat(40));
        write(utf8('abc'), 8);
        check.same(toHex(target.subarray(8)), DIGEST_ANSWERS.sha256[1]);
      },
    },
    {
      name: 'digest: the names, and what a runtime lacks is refused',
      run(check) {
        check.same(entry.isDigestAlgorithm('sha256'), true);
        for (const name of ['SHA256', 'md5', 'toString', '__proto__', ''])
          check.same(entry.isDigestAlgorithm(name), false, name);
        for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512'] as const)
          check.same(entry.isDigestAvailable(algorithm), true);
        for (const algorithm of entry.DIGEST_ALGORITHMS) {
          if (entry.isDigestAvailable(algorithm)) continue;
          check.throwsCode('unsupported', () => entry.digest(algorithm, new Uint8Array()));
          check.throwsCode('unsupported', () => entry.startDigest(algorithm));
          check.throwsCode('unsupported', () => entry.hmac(algorithm, new Uint8Array(1), new Uint8Array()));
          check.throwsCode('unsupported', () => entry.latin1Digester(algorithm));
          check.throwsCode('unsupported', () => entry.digestWriter(algorithm, new Uint8Array(64)));
        }
      },
    },
    {
      name: 'hmac: RFC 4231',
      run(check) {
        for (const { key, data, answers } of HMAC_ANSWERS) {
          for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512'] as const) {
            check.same(toHex(entry.hmac(algorithm, parseHex(key), parseHex(data))), answers[algorithm], algorithm);
          }
        }
        // RFC 2202, test case 2.
        const sha1 = entry.hmac('sha1', utf8('Jefe'), utf8('what do ya want for nothing?'));
        check.same(toHex(sha1), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79');
        check.same(entry.hmac('sha256', new Uint8Array(), new Uint8Array()).length, 32, 'an empty key');
      },
    },
    {
      // RFC 7914, section 11; RFC 6070, test case 2.
      name: 'pbkdf2: RFC 7914, RFC 6070, and more work than is done',
      run(check) {
        const key = (algorithm: 'sha1' | 'sha256', passphrase: string, salt: string, count: number, size: number) =>
          toHex(entry.pbkdf2(algorithm, utf8(passphrase), utf8(salt), count, size));
        check.same(
          key('sha256', 'passwd', 'salt', 1, 64),
          '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
        );
        check.same(key('sha1', 'password', 'salt', 2, 20), 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957');
        for (const [count, size] of [
          [0, 32],
          [10_000_001, 32],
          [1.5, 32],
          [1, 0],
          [1, 1025],
        ] as const)
          check.throwsCode('unsupported', () => key('sha256', 'p', 's', count, size));
      },
    },
  ];
}
