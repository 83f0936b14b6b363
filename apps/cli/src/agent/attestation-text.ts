// SPDX-License-Identifier: Apache-2.0
import type { Attestation } from '@vouchsafe/agent';
import { printable } from '../printable.ts';

/** A verdict for people. Findings quote what the machine's logs say, which nobody vouches for. */
export function verdictText({ verdict }: Pick<Attestation, 'verdict'>): string {
  const image = verdict.image === undefined ? '' : ` ${verdict.image.name} ${verdict.image.version}`;
  const lines = verdict.findings.map(({ severity, code, where, expected, actual, hint }) => {
    const place = [where.artefact, where.pcr === undefined ? '' : `PCR ${where.pcr}`, where.path ?? '']
      .filter((part) => part !== '')
      .join(', ');
    const difference = expected === undefined && actual === undefined ? '' : `: expected ${expected}, found ${actual}`;
    return `  ${severity} ${code}: ${place}${difference}\n    ${hint}`;
  });
  return printable(
    [`${verdict.isTrusted ? 'trusted' : 'not trusted'}: ${verdict.status}${image}`, ...lines].join('\n'),
  );
}

/** For programs: all but the certificate's octets, which `agent cert` shows. */
export function attestationDocument({ verdict, ear, certificate, nextInMs }: Attestation): unknown {
  return {
    verdict,
    ear,
    nextInMs,
    ...(certificate === undefined ? {} : { certificate: { notAfterMs: certificate.notAfterMs } }),
  };
}
