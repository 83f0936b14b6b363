// SPDX-License-Identifier: Apache-2.0
// Recipes of the lab's root, built with the command, and what a boot of one says.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@vouchsafe/base';
import { MemorySink, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { type CommonPartitionType, commonPartitionType, partitionPlace, planFat32, requireGpt } from '@vouchsafe/disk';
import { decodeTcgLog, digestOf } from '@vouchsafe/eventlog';
import { type BootResult, debianCloudKernel, FIRMWARE_VARIABLES, runVouchsafe, writeRecipeRoot } from '@vouchsafe/lab';
import { type Manifest, type ManifestBoot, predictedEventsOf, verifyManifest } from '@vouchsafe/manifest';
import { parsePem } from '@vouchsafe/pki';

export interface BuiltRecipe {
  readonly disk: string;
  readonly uki: string;
  readonly manifest: Manifest;
}

/** Runs `image build` of the recipe `lab`, with the lab's reporting root and Debian's kernel. @param lines more members. */
export function runBuild(dir: string, version: string, lines: readonly string[]): string {
  const root = join(dir, `root-${version}`);
  writeRecipeRoot(root, version);
  const recipe = join(dir, `recipe-${version}.yaml`);
  const common = [
    'name: lab',
    `version: '${version}'`,
    `root: { folder: root-${version}, xattrs: ignore }`,
    `kernel: { folder: ${join(debianCloudKernel().modulesRoot, '../../..')} }`,
    'command-line: console=ttyS0 panic=-1 quiet',
    'keys: keys',
  ];
  writeFileSync(recipe, [...common, ...lines, ''].join('\n'));
  const out = join(dir, 'out');
  runVouchsafe('image', 'build', recipe, '-o', out);
  return out;
}

/** A folder with keys, and a variable store that has them enrolled. */
export function prepareKeys(dir: string): { readonly keys: string; readonly firmwareVariables: string } {
  const [keys, firmwareVariables] = [join(dir, 'keys'), join(dir, 'variables.fd')];
  runVouchsafe('keys', 'generate', keys);
  runVouchsafe('keys', 'enroll', keys, '--vars', FIRMWARE_VARIABLES, '-o', firmwareVariables);
  return { keys, firmwareVariables };
}

/** What is built of it, and its manifest. */
export function buildRecipe(dir: string, version: string, lines: readonly string[]): BuiltRecipe {
  const out = runBuild(dir, version, lines);
  const [key] = parsePem(readFileSync(join(dir, 'keys', 'manifest.pub')), 'PUBLIC KEY');
  assert.ok(key);
  const { manifest } = verifyManifest(readFileSync(join(out, `lab_${version}.manifest.json`)), [key.bytes]);
  return { disk: join(out, `lab_${version}.raw`), uki: join(out, `lab_${version}.efi`), manifest };
}

export const textOf = ({ results }: BootResult, name: string): string =>
  Buffer.from(results.get(name) ?? new Uint8Array()).toString('latin1');

/** What the guest read of PCRs: by 'sha256 4'. */
export function pcrsOf(boot: BootResult): ReadonlyMap<string, string> {
  const lines = textOf(boot, 'pcrs').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [bank, pcr, value = ''] = line.split(' ');
      return [`${bank} ${pcr}`, value.toLowerCase()] as const;
    }),
  );
}

/**
 * Every PCR that the manifest says, with Secure Boot on, is the machine's when its init runs; and of these PCRs the firmware's
 * log has the events of the manifest in their order, none missing and none besides.
 */
export function assertPredicted(boot: BootResult, manifest: Manifest): void {
  assert.equal(boot.outcome, 'reported', boot.serial);
  const on = manifest.boots.find(({ condition }) => condition.secureBoot === 'on');
  assert.deepEqual(on?.covers, [4, 5, 7, 9, 11, 12, 13, 14]);
  const predicted = on.phases.find(({ phase }) => phase === 'enter-initrd:leave-initrd')?.pcrs.sha256 ?? {};
  const real = pcrsOf(boot);
  assert.deepEqual(
    on.covers.map((pcr) => [pcr, predicted[pcr]]),
    on.covers.map((pcr) => [pcr, real.get(`sha256 ${pcr}`)]),
  );
  const log = decodeTcgLog(boot.results.get('firmware.log') ?? new Uint8Array());
  const events = eventsOf(log, manifest, on);
  assert.deepEqual(events.logged, events.predicted);
}

/** The events of the PCRs that a prediction covers, as 'PCR digest' by PCR and in the order of each: equal, when it holds. */
export function eventsOf(log: ReturnType<typeof decodeTcgLog>, manifest: Manifest, predicted: ManifestBoot) {
  const byPcr = (events: readonly { readonly pcr: number; readonly digest: Uint8Array | undefined }[]): string[] =>
    predicted.covers.flatMap((index) =>
      events.filter(({ pcr }) => pcr === index).map(({ pcr, digest }) => `${pcr} ${toHex(digest ?? new Uint8Array())}`),
    );
  return {
    logged: byPcr(
      log.events
        .filter(({ type }) => type !== 'EV_NO_ACTION')
        .map((event) => ({ pcr: event.pcr, digest: digestOf(event, 'sha256') })),
    ),
    predicted: byPcr(
      predictedEventsOf(manifest, predicted).map(({ pcr, digests }) => ({ pcr, digest: digests.get('sha256') })),
    ),
  };
}

/** The octets of the partition of a type. */
export function readPartition(disk: string, type: CommonPartitionType): Uint8Array {
  using source = FileSource.open(disk);
  const { offsetBytes, sizeBytes } = placeOf(source, type);
  return readBytes(source, offsetBytes, sizeBytes);
}

export function writePartition(disk: string, type: CommonPartitionType, octets: Uint8Array): void {
  using source = FileSource.open(disk);
  const { offsetBytes, sizeBytes } = placeOf(source, type);
  assert.equal(octets.length, sizeBytes);
  const fd = openSync(disk, 'r+');
  try {
    writeSync(fd, octets, 0, octets.length, offsetBytes);
  } finally {
    closeSync(fd);
  }
}

function placeOf(source: FileSource, type: CommonPartitionType) {
  const table = requireGpt(source);
  const partition = table.partitions.find(({ typeUuid }) => typeUuid === commonPartitionType(type));
  assert.ok(partition, type);
  return partitionPlace(table, partition);
}

/** Puts another UKI into a disk that firmware starts it from. */
export function replaceUki(disk: string, uki: FileSource): void {
  const sizeBytes = readPartition(disk, 'esp').length;
  const members = [{ path: 'EFI/BOOT/BOOTX64.EFI', content: uki }];
  const volume = new MemorySink(sizeBytes, 'ESP');
  planFat32({ members, sectorSize: 512, sizeBytes, volumeId: 1, timestampSeconds: 0 }).write(volume);
  const octets = new Uint8Array(sizeBytes);
  octets.set(volume.bytes());
  writePartition(disk, 'esp', octets);
}
