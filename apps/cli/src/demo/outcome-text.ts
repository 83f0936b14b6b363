// SPDX-License-Identifier: Apache-2.0
import { relative } from 'node:path';
import { printable } from '../printable.ts';
import { verdictText } from '../service/verdict-text.ts';
import type { FleetOutcome } from './fleet/fleet.ts';
import type { DemoFolder } from './folder.ts';
import type { DemoOutcome, MachineOutcome } from './outcome.ts';

/** What the demo ends with. */
export function outcomeText({ machines, fleet, isAsPromised }: DemoOutcome, folder: DemoFolder): string {
  const [good] = machines;
  const evidence = good === undefined ? '' : relative(folder.path, good.files.evidence);
  return [
    '',
    ...machines.flatMap(machineLines),
    ...(fleet === undefined ? [] : fleetLines(fleet)),
    isAsPromised
      ? 'As promised: the good machine has its certificate and its secret, the other has neither.'
      : 'NOT as promised: see above, and the machines’ serial logs.',
    '',
    `All of it lies in ${folder.path}. To check the good machine's quote by yourself, there:`,
    `  vouchsafe quote verify --ak ${evidence}/ak.pem --attest ${evidence}/quote.attest --signature ${evidence}/quote.signature \\`,
    `    --pcrs ${evidence}/quote.pcrs --nonce "$(cat ${evidence}/nonce)"`,
    `  openssl x509 -noout -text -in run/good/client.pem`,
  ].join('\n');
}

function machineLines({ name, verdict, certificate, hasSecret }: MachineOutcome): string[] {
  return [
    `${name}: ${verdict === undefined ? 'no verdict' : verdictText(verdict)}`,
    printable(`  certificate: ${certificate ?? 'refused'}`),
    `  secret:      ${hasSecret ? 'given' : 'refused'}`,
    '',
  ];
}

function fleetLines({ size, trusted, certificates, reasons, joinSeconds, attestSeconds }: FleetOutcome): string[] {
  const why = Object.entries(reasons).map(([code, count]) => `${code} (${count})`);
  return [
    `fleet: ${trusted} of ${size} simulated machines are trusted, ${certificates} have a certificate`,
    `  joined in ${joinSeconds} s, attested in ${attestSeconds} s, machines and service on this host`,
    ...(why.length === 0 ? [] : [printable(`  refused for: ${why.join(', ')}`)]),
    '',
  ];
}
