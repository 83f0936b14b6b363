// SPDX-License-Identifier: Apache-2.0
import type { SbatLevelDescription, SectionDescription, SignatureDescription, UkiDescription } from '@vouchsafe/pe';
import { printable } from '../printable.ts';

/** Digests of a whole file, in lower-case hexadecimal. */
export interface AuthenticodeDigests {
  readonly measuredByFirmware: string;
  readonly coveredBySignature: string;
}

const KINDS: Readonly<Record<UkiDescription['kind'], string>> = {
  uki: 'unified kernel image',
  addon: 'addon',
  stub: 'stub without a kernel',
  other: 'PE file',
};

/** A description for people. Nothing of the file's own words reaches the terminal unescaped. */
export function descriptionText(d: UkiDescription, authenticode: AuthenticodeDigests | undefined): string {
  const machine = typeof d.machine === 'number' ? `machine 0x${d.machine.toString(16)}` : d.machine;
  const sbat = d.sbat?.map(({ name, generation }) => `${name} ${generation}`).join(', ');
  const lines = [
    `${d.label}: ${KINDS[d.kind]}, ${d.format} for ${machine}, ${d.sizeBytes} octets`,
    ...(d.stub === undefined ? [] : [`stub: ${d.stub.product} ${d.stub.version}`]),
    `memory protection (NX): ${d.isNxCompatible ? 'yes' : 'no'}`,
    `SBAT: ${sbat ?? d.sbatError ?? 'none'}`,
    ...(d.shimSbatLevels === undefined
      ? []
      : [
          `shim enforces: ${levelText(d.shimSbatLevels.automatic)}`,
          `and at its latest: ${levelText(d.shimSbatLevels.latest)}`,
        ]),
    ...(d.signatures.length === 0 ? ['signatures: none'] : d.signatures.flatMap(signatureLines)),
    ...(authenticode === undefined
      ? []
      : [
          `measured by firmware:   sha256 ${authenticode.measuredByFirmware}`,
          `covered by a signature: sha256 ${authenticode.coveredBySignature}`,
        ]),
    '',
    ...d.sections.flatMap(sectionLines),
  ];
  return lines.map(printable).join('\n');
}

function levelText({ datestamp, generations }: SbatLevelDescription): string {
  const components = Object.entries(generations).map(([name, generation]) => `${name} ${generation}`);
  return `${components.join(', ')} (${datestamp ?? 'no date'})`;
}

function signatureLines({ error, digest, signers, certificates }: SignatureDescription, i: number): string[] {
  if (error !== undefined) return [`signature ${i + 1}: ${error}`];
  return [
    `signature ${i + 1}: ${digest?.algorithm} ${digest?.value}`,
    ...signers.map(({ identifier, signingTimeMs }) => {
      const time = signingTimeMs === undefined ? '' : `, says at ${new Date(signingTimeMs).toISOString()}`;
      return `    by ${identifier}${time}`;
    }),
    ...certificates.map(({ subject, fingerprint }) => `    carries ${subject} (sha256 ${fingerprint})`),
  ];
}

function sectionLines({ name, longName, profile, sizeBytes, digests, text }: SectionDescription): string[] {
  const of = profile === undefined ? '' : `  profile ${profile}`;
  const hashes = Object.entries(digests ?? {}).map(([algorithm, value]) => `  ${algorithm} ${value}`);
  return [
    `${(longName === undefined ? name : `${name} ${longName}`).padEnd(9)} ${String(sizeBytes).padStart(10)} octets${of}${hashes.join('')}`,
    ...(text === undefined
      ? []
      : text
          .replace(/[\n\0]+$/, '')
          .split('\n')
          .map((line) => `    ${line}`)),
  ];
}
