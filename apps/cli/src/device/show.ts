// SPDX-License-Identifier: Apache-2.0
import { type DeviceDetail, deviceDetail, deviceVerdicts, type VerdictSummary } from '@vouchsafe/protocol';
import { printable } from '../printable.ts';
import { timeText } from '../service/table-text.ts';
import { verdictText } from '../service/verdict-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly history?: boolean;
}

export const show: Verb = {
  define(command, session) {
    command
      .description('Shows one machine: who it is, and its last verdict with every reason.')
      .argument('<DEVICE>', 'as device list shows it')
      .option('--history', 'earlier verdicts too, the newest first');
    addServiceOptions(command, 'device show web-1').action(async (id: string, options: Options) => {
      const path = `/v1/devices/${encodeURIComponent(id)}`;
      const [device, verdicts] = await withService(options, async (client) => [
        await client.get(deviceDetail, path),
        options.history === true ? (await client.get(deviceVerdicts, `${path}/verdicts`)).items : [],
      ]);
      session.answer(deviceText(device, verdicts), options.history === true ? { ...device, verdicts } : device);
    });
  },
};

function deviceText(device: DeviceDetail, verdicts: readonly VerdictSummary[]): string {
  const { tpm, verdict } = device;
  const lines = [
    `${device.id}: ${device.state}`,
    `  joined    ${timeText(device.enrolledAtMs)}, by ${device.joinedBy}`,
    `  TPM       ${[tpm.manufacturer, tpm.model, tpm.version].filter((text) => text !== undefined).join(' ') || 'not said'}`,
    `  EK        ${device.ekSha256}`,
    `  AK        ${device.akName}`,
  ];
  const shown = verdicts.length > 0 ? verdicts : verdict === undefined ? [] : [verdict];
  return [printable(lines.join('\n')), ...shown.map(verdictText)].join('\n');
}
