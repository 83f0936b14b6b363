// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCertificates } from '@vouchsafe/pki';
import { checkMessage, type DeviceDetail, deviceDetail, type VerdictSummary } from '@vouchsafe/protocol';
import type { FleetOutcome } from './fleet/fleet.ts';
import type { DemoFolder } from './folder.ts';

/** What became of one machine. */
export interface MachineOutcome {
  readonly name: string;
  readonly state: DeviceDetail['state'];
  readonly verdict: VerdictSummary | undefined;
  /** Subject of the client certificate that it got. */
  readonly certificate: string | undefined;
  readonly hasSecret: boolean;
  /** What anybody can check this by. */
  readonly files: {
    readonly evidence: string;
    readonly verdict: string;
    readonly certificate: string;
    readonly serial: string;
  };
}

export interface DemoOutcome {
  readonly machines: readonly MachineOutcome[];
  /** Of the simulated machines, where some were asked for. */
  readonly fleet?: FleetOutcome;
  /** True when the good machine was trusted and got both, the other was not and got neither, and all simulated ones are trusted. */
  readonly isAsPromised: boolean;
}

/** What the service says of the machines, and what they have handed out. */
export function readOutcome(
  { run }: DemoFolder,
  secret: string,
  shown: readonly { readonly name: string; readonly device: unknown }[],
  fleet?: FleetOutcome,
): DemoOutcome {
  const machines = shown.map(({ name, device }): MachineOutcome => {
    const { state, verdict } = checkMessage(deviceDetail, device);
    const folder = join(run, name);
    const [certificate, given] = [join(folder, 'client.pem'), join(folder, 'secret')];
    return {
      name,
      state,
      verdict,
      certificate: existsSync(certificate) ? decodeCertificates(readFileSync(certificate))[0]?.subject.text : undefined,
      hasSecret: existsSync(given) && readFileSync(given, 'utf8') === secret,
      files: {
        evidence: join(folder, 'evidence'),
        verdict: join(folder, 'verdict.json'),
        certificate,
        serial: join(folder, 'serial.log'),
      },
    };
  });
  const [good, tampered] = machines;
  const isFleetGood = fleet === undefined || (fleet.trusted === fleet.size && fleet.certificates === fleet.size);
  const isAsPromised = isGranted(good) && isRefused(tampered) && isFleetGood;
  return { machines, ...(fleet === undefined ? {} : { fleet }), isAsPromised };
}

const isGranted = (machine: MachineOutcome | undefined): boolean =>
  machine?.state === 'trusted' &&
  machine.verdict?.isTrusted === true &&
  machine.certificate !== undefined &&
  machine.hasSecret;

/** Refused for what was done to it, and not because something else went wrong. */
const isRefused = (machine: MachineOutcome | undefined): boolean =>
  machine?.state === 'untrusted' &&
  machine.verdict?.isTrusted === false &&
  machine.verdict.findings.some(({ severity, where }) => severity === 'error' && where.pcr === 12) &&
  machine.certificate === undefined &&
  !machine.hasSecret;
