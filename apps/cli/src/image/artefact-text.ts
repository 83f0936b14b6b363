// SPDX-License-Identifier: Apache-2.0
import type { ArtefactDescription, Content, DiskDescription } from '@vouchsafe/image';
import { descriptionText } from '../uki/description-text.ts';
import { findingsText } from '../verity/findings-text.ts';
import { firmwareLines } from './firmware-text.ts';

const LOG_NAMES = {
  'event-log': 'boot log',
  'userspace-log': "systemd's log",
  'canonical-log': 'canonical log',
  'launch-log': 'launch log',
} as const;

/** A description for people, a line for each thing. */
export function artefactLines(d: ArtefactDescription): readonly string[] {
  const size = `${d.sizeBytes} octets`;
  const digest = d.sha256 === undefined ? [] : [`sha256 ${d.sha256}`];
  const title = (what: string): string => `${d.label}: ${what}, ${size}`;
  switch (d.kind) {
    case 'disk':
      return [title(`disk, sectors of ${d.sectorSize}, UUID ${d.diskUuid}`), ...digest, ...diskLines(d)];
    case 'pe':
      return [...descriptionText(d.pe, d.authenticode).split('\n'), ...digest];
    case 'erofs':
      return [
        title('EROFS'),
        ...digest,
        `UUID ${d.uuid}${d.volumeLabel === '' ? '' : `, label ${d.volumeLabel}`}, made ${timeText(d.timestampSeconds)}`,
        `${d.inodeCount} inodes, blocks of ${d.blockBytes}, ${d.imageBytes} octets in use`,
        ...(d.features.length === 0 ? [] : [`features: ${d.features.join(', ')}`]),
        ...fieldLines('os-release', d.osRelease),
        ...Object.entries(d.extensionReleases ?? {}).flatMap(([path, fields]) => fieldLines(path, fields)),
      ];
    case 'fat':
      return [
        title(d.format.toUpperCase()),
        ...digest,
        `volume id ${d.volumeId ?? 'none'}, label ${d.volumeLabel ?? 'none'}`,
        ...d.files.flatMap((file) => [
          `${String(file.sizeBytes).padStart(12)}  ${file.path}`,
          ...(file.content === undefined ? [] : indented(contentLines(file.content), 14)),
        ]),
        ...(d.furtherFiles === 0 ? [] : [`and ${d.furtherFiles} more files`]),
      ];
    case 'verity-hash':
      return [
        title('dm-verity superblock and tree'),
        ...digest,
        `${d.algorithm}, type ${d.hashType}, ${d.dataBlocks} data blocks of ${d.dataBlockSize}, hash blocks of ${d.hashBlockSize}`,
        `UUID ${d.uuid}, salt ${d.salt === '' ? 'none' : d.salt}`,
        `root hash at the top: ${d.rootHash ?? 'not in this file'}`,
      ];
    case 'verity-signature':
      return [
        title('signature of a root hash'),
        ...digest,
        `root hash ${d.rootHash}`,
        `by the certificate with sha256 ${d.certificateFingerprint ?? 'not named'}, ${d.signatureBytes} octets`,
      ];
    case 'initrd':
      return [
        title('initrd'),
        ...digest,
        ...d.segments.map(({ offsetBytes, sizeBytes, compression, members, contentBytes }) =>
          compression === undefined
            ? `at ${offsetBytes}: cpio, ${sizeBytes} octets, ${members} members with ${contentBytes} octets`
            : `at ${offsetBytes}: ${compression}, ${sizeBytes} octets`,
        ),
      ];
    case 'compressed':
      return [title(`compressed with ${d.compression}`), ...digest];
    case 'manifest':
      return [
        title(
          `${d.isSigned ? 'signed manifest' : 'manifest'} of ${d.manifest.name} ${d.manifest.version}, ${d.manifest.architecture}`,
        ),
        ...digest,
        ...d.manifest.artefacts.map(({ kind, path, sha256 }) => `${kind.padEnd(10)} ${sha256}  ${path}`),
        ...d.manifest.roots.map(({ mount, rootHash }) => `root hash of ${mount}: ${rootHash}`),
        `${d.manifest.events.length} events, ${d.manifest.boots.length} ways to boot`,
      ];
    case 'event-log':
    case 'ima-log':
    case 'userspace-log':
    case 'canonical-log':
    case 'launch-log':
      return [
        title(
          d.kind === 'ima-log' ? `IMA list (${d.format})` : `${LOG_NAMES[d.kind]} (${d.format}; ${d.banks.join(', ')})`,
        ),
        ...digest,
        `${d.events} events`,
        ...Object.entries(d.pcrs ?? {}).flatMap(([bank, pcrs]) =>
          Object.entries(pcrs).map(([pcr, value]) => `${bank} PCR ${pcr.padStart(2)}: ${value}`),
        ),
      ];
    case 'swap':
      return [title(`swap area, UUID ${d.swap.uuid}`), ...digest];
    case 'variable-store':
    case 'signature-lists':
    case 'signed-variable':
    case 'certificates':
    case 'platform-certificate':
    case 'pem':
      return firmwareLines(d, title, digest);
    case 'empty':
      return [title('nothing but zeros at the beginning'), ...digest];
    case 'unknown':
      return [title('nothing that is known here'), ...digest];
    default:
      return [title(`${d.kind}, which is not looked into`), ...digest];
  }
}

function diskLines({ partitions, verity, findings }: DiskDescription): string[] {
  return [
    ...partitions.flatMap((p) => [
      '',
      `${p.number}: ${p.label === '' ? '(no label)' : p.label}, ${p.type}${p.attributes.length === 0 ? '' : ` (${p.attributes.join(', ')})`}`,
      `   at ${p.offsetBytes}, ${p.sizeBytes} octets, UUID ${p.uuid}`,
      ...indented(contentLines(p.content), 3),
    ]),
    ...verity.flatMap(({ rootHash, data, hash, signature }) => [
      '',
      `root hash ${rootHash}: data ${partition(data)}, tree ${partition(hash)}, signature ${partition(signature)}`,
    ]),
    ...(findings.length === 0 ? [] : ['', findingsText(findings)]),
  ];
}

const partition = (number: number | undefined): string => (number === undefined ? 'none' : `partition ${number}`);

function contentLines(content: Content): readonly string[] {
  if ('error' in content) return [`cannot be read: ${content.error.message}`];
  // The name is said above it.
  return artefactLines({ ...content, label: 'content' });
}

function indented(lines: readonly string[], columns: number): string[] {
  return lines.map((line) => (line === '' ? '' : `${' '.repeat(columns)}${line}`));
}

function fieldLines(name: string, fields: Readonly<Record<string, string>> | undefined): string[] {
  if (fields === undefined) return [];
  return [`${name}:`, ...Object.entries(fields).map(([key, value]) => `    ${key}=${value}`)];
}

/** Seconds since 1970 as a date; as they are where that has none. */
function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `at ${seconds}` : time.toISOString();
}
