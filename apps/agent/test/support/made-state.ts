// SPDX-License-Identifier: Apache-2.0
import type { AgentState } from '@vouchsafe/agent';

const octets = (n: number): string => Buffer.alloc(n, n).toString('base64url');
const key = { publicArea: octets(90), privateArea: octets(120) };

/** A state as it is after some attestations; the number is in what changes. */
export const madeState = (n: number): AgentState => ({
  version: 1,
  server: { url: 'https://vouchsafe.example', caPem: `CA ${n}\n`, caSha256: 'ab'.repeat(32) },
  keys: { parent: octets(90), attestation: key, client: key, decryption: key },
  enrolment: { state: 'enrolled', deviceId: 'machine-1', attestationCertificates: [octets(300)] },
  bootId: String(n),
  certificate: {
    chain: [Buffer.from(`certificate ${n}`).toString('base64url')],
    notBeforeMs: n,
    notAfterMs: n,
    renewAtMs: n,
  },
});
