// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { formatBank, PCR_COUNT, type TpmBank } from '@vouchsafe/tpm';
import { TCG_EVENT_TYPES } from '../tcg/event-type.ts';
import type { TcgEvent, TcgLog } from '../tcg/log.ts';
import { replayTcgLog } from '../tcg/replay.ts';
import { dataYaml } from './event-yaml.ts';
import type { YamlVersion } from './parts.ts';

/** Types that tpm2-tools 5.4 has no name for. */
const UNNAMED: ReadonlySet<string> = new Set([
  'EV_POST_CODE2',
  'EV_EFI_EVENT_BASE',
  'EV_EFI_GPT_EVENT2',
  'EV_EFI_SPDM_FIRMWARE_BLOB',
  'EV_EFI_SPDM_FIRMWARE_CONFIG',
  'EV_EFI_SPDM_DEVICE_POLICY',
  'EV_EFI_SPDM_DEVICE_AUTHORITY',
]);

function typeName(type: string | number): string {
  return typeof type === 'string' && Object.hasOwn(TCG_EVENT_TYPES, type) && !UNNAMED.has(type)
    ? type
    : 'Unknown event type';
}

/**
 * A firmware log as tpm2_eventlog of tpm2-tools 5.4 prints it, built without efivar, for those whose programs read that. Of
 * SHA-1 logs the events are no list, there as here. One thing differs: PCR 0 is replayed from the locality that the log
 * declares, where 5.4 starts from zeros and so prints a value that the TPM does not have.
 */
export function formatTpm2Yaml(log: TcgLog, version: YamlVersion = 1): string {
  const parts = [`---\nversion: ${version}\nevents:\n`];
  for (const event of log.events) {
    if (log.format === 'agile' && event.index === 0) parts.push(headerYaml(event, log));
    else parts.push(eventYaml(event, log.format === 'agile', version));
  }
  parts.push(pcrsYaml(log));
  return parts.join('');
}

function eventYaml(event: TcgEvent, isNumbered: boolean, version: YamlVersion): string {
  const { index, pcr, type, digests } = event;
  const number = isNumbered ? `- EventNum: ${index}\n` : '';
  const list = digests.map(
    ({ bank, digest }) => `  - AlgorithmId: ${algorithmName(bank)}\n    Digest: "${toHex(digest)}"\n`,
  );
  const head = `  PCRIndex: ${pcr | 0}\n  EventType: ${typeName(type)}\n  DigestCount: ${digests.length}\n  Digests:\n`;
  return number + head + list.join('') + dataYaml(event, version);
}

/** tpm2-tools has no name for these, and prints what printf makes of a null pointer. */
function algorithmName(bank: TpmBank): string {
  return typeof bank === 'string' ? bank : '(null)';
}

function headerYaml({ pcr, type, digests, data }: TcgEvent, { specId }: TcgLog): string {
  const lines = [
    '- EventNum: 0',
    `  PCRIndex: ${pcr}`,
    `  EventType: ${typeName(type)}`,
    `  Digest: "${toHex(digests[0]?.digest ?? new Uint8Array())}"`,
    `  EventSize: ${data.length}`,
  ];
  if (specId !== undefined) {
    const platform = typeof specId.platformClass === 'number' ? specId.platformClass : String(specId.platformClass);
    lines.push(
      '  SpecID:',
      '  - Signature: Spec ID Event03',
      `    platformClass: ${platform}`,
      `    specVersionMinor: ${specId.specVersionMinor}`,
      `    specVersionMajor: ${specId.specVersionMajor}`,
      `    specErrata: ${specId.specErrata}`,
      `    uintnSize: ${specId.uintnSize}`,
      `    numberOfAlgorithms: ${specId.digestSizes.length}`,
      '    Algorithms:',
    );
    specId.digestSizes.forEach(({ algorithmId, digestSize }, i) => {
      lines.push(
        `    - Algorithm[${i}]:`,
        `      algorithmId: ${algorithmName(algorithmId)}`,
        `      digestSize: ${digestSize}`,
      );
    });
    lines.push(`    vendorInfoSize: ${specId.vendorInfo.length}`);
    if (specId.vendorInfo.length > 0) lines.push(`    vendorInfo: "${toHex(specId.vendorInfo)}"`);
  }
  return `${lines.join('\n')}\n`;
}

const YAML_BANKS: readonly TpmBank[] = ['sha1', 'sha256', 'sha384', 'sha512', 'sm3_256'];

function pcrsYaml(log: TcgLog): string {
  const { banks } = replayTcgLog(log);
  let text = 'pcrs:\n';
  for (const bank of YAML_BANKS) {
    const pcrs = banks.get(bank)?.pcrs;
    if (pcrs === undefined || pcrs.size === 0) continue;
    text += `  ${formatBank(bank)}:\n`;
    for (let pcr = 0; pcr < PCR_COUNT; pcr++) {
      const value = pcrs.get(pcr);
      if (value !== undefined) text += `    ${String(pcr).padEnd(2)} : 0x${toHex(value)}\n`;
    }
  }
  return text;
}
