// SPDX-License-Identifier: Apache-2.0
import { decodeCrl, issueCrl, PkiError, schemeOf } from '@vouchsafe/pki';
import type { FuzzTarget } from '@vouchsafe/testing';
import { NOW, root, START } from '@vouchsafe/testing/authorities';

const authority = await root('authority', { keyUsage: ['keyCertSign', 'cRLSign'] });
const list = (count: number) =>
  issueCrl(
    {
      crlNumber: 1n,
      thisUpdateMs: NOW,
      nextUpdateMs: NOW + 1000,
      revoked: Array.from({ length: count }, (_, i) => ({
        serialNumber: BigInt(i + 1),
        revokedAtMs: START,
        ...(i % 2 === 0 ? { reason: 'superseded' as const } : {}),
      })),
    },
    authority,
  );
const SEEDS = [await list(0), await list(1), await list(5)].map(({ bytes }) => bytes);

/** Bytes as a certificate revocation list. */
export const target: FuzzTarget = {
  name: 'pki-crl',
  seeds: () => SEEDS,
  run(bytes) {
    try {
      schemeOf(decodeCrl(bytes).signatureAlgorithm);
    } catch (error) {
      if (!(error instanceof PkiError)) throw error;
    }
  },
};
