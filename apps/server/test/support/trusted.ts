// SPDX-License-Identifier: Apache-2.0
import type { Machine, Workshop } from './machine.ts';

/** A machine that is trusted: its image is active, its firmware was learned and approved. */
export async function trustedMachine(workshop: Workshop, id?: string): Promise<Machine> {
  const machine = await workshop.enrolledMachine(id);
  const first = await machine.attest();
  if (first.status !== 200) throw new Error(JSON.stringify(first.body));
  if (first.body.verdict.isTrusted) return machine;
  const learned = await workshop.call('POST', '/v1/baselines', { deviceId: machine.id });
  if (learned.status !== 201) throw new Error(JSON.stringify(learned.body));
  await workshop.call('POST', `/v1/baselines/${learned.body.sha256}/approve`);
  const second = await machine.attest();
  if (second.body.verdict?.isTrusted !== true) throw new Error(JSON.stringify(second.body));
  return machine;
}

/** Codes of a verdict's findings, each once. */
export const codesOf = (verdict: { readonly findings: readonly { readonly code: string }[] }): string[] => [
  ...new Set(verdict.findings.map(({ code }) => code)),
];
