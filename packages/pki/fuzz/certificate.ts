// SPDX-License-Identifier: Apache-2.0
import { decodeCertificate, decodeCertificates, PkiError, schemeOf, VENDOR_DER } from '@vouchsafe/pki';
import type { FuzzTarget } from '@vouchsafe/testing';
import { readTestdata } from '../test/testdata.ts';

const FILES = ['ed25519', 'rsa', 'rsa-pss', 'extensions'];

/** Bytes as a certificate, by both sets of rules. What the strict ones take, the tolerant ones read the same. */
export const target: FuzzTarget = {
  name: 'pki-certificate',
  seeds: () =>
    FILES.flatMap((name) => decodeCertificates(readTestdata(`certificates/${name}.pem`)).map(({ bytes }) => bytes)),
  run(bytes) {
    const tolerant = attempt(() => decodeCertificate(bytes, VENDOR_DER));
    const strict = attempt(() => decodeCertificate(bytes));
    if (strict !== undefined && strict.subject.text !== tolerant?.subject.text)
      throw new Error('the two rules read two names');
    if (tolerant !== undefined) attempt(() => schemeOf(tolerant.signatureAlgorithm));
    attempt(() => decodeCertificates(bytes));
  },
};

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}
