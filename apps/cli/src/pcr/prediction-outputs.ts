// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toHex, utf8 } from '@vouchsafe/base';
import { FileSource, hostError } from '@vouchsafe/bytes/node';
import { startDigest } from '@vouchsafe/crypto';
import { makeBootManifest } from '@vouchsafe/image/boot';
import { type Bank, type ManifestArtefact, signManifest } from '@vouchsafe/manifest';
import {
  type BootPrediction,
  formatPcrlock,
  formatPcrSignatures,
  pcrlockComponents,
  predictPcr11,
  signPcrPolicies,
} from '@vouchsafe/measure';
import type { Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { openSmallOutput, requireDistinctOutputs, type SmallOutput } from '../outputs.ts';
import type { Session } from '../session.ts';
import { passphraseOf } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';
import type { BootInputs } from './boot-inputs.ts';
import type { PredictOptions } from './predict-options.ts';

/**
 * Writes what was asked for beside the answer: all of it, or nothing under a final name.
 * @returns the names of what was written. @throws {UsageError}
 */
export async function writeOutputs(
  session: Session,
  path: string,
  inputs: BootInputs,
  prediction: BootPrediction,
  options: PredictOptions,
): Promise<string[]> {
  const { pcrsig, manifest, pcrlock, pcrPrivateKey, manifestPrivateKey } = options;
  requireTogether(options);
  const sources = [path, pcrPrivateKey, manifestPrivateKey, options.loader, options.shim, options.loaderConf];
  requireDistinctOutputs(sources, [pcrsig, manifest]);
  session.whenInterrupted = 'nothing was left under a final name';
  using outputs = new DisposableStack();
  const ready: { readonly output: SmallOutput; readonly bytes: Uint8Array; readonly name: string }[] = [];
  const open = (name: string, option: string): SmallOutput =>
    outputs.use(openSmallOutput(session, name, { option, force: options.force }));
  if (pcrlock !== undefined) {
    makeFolder(pcrlock);
    for (const component of pcrlockComponents(inputs.artefacts, prediction)) {
      const name = join(pcrlock, component.name);
      ready.push({ name, output: open(name, '--pcrlock'), bytes: utf8(formatPcrlock(component)) });
    }
  }
  if (pcrsig !== undefined) {
    const output = open(pcrsig, '--pcrsig');
    ready.push({ name: pcrsig, output, bytes: utf8(await signedPolicies(inputs, options)) });
  }
  if (manifest !== undefined) {
    const output = open(manifest, '--manifest');
    ready.push({ name: manifest, output, bytes: await signedManifest(session, path, inputs, options) });
  }
  for (const { output, bytes } of ready) output.commit(bytes);
  return ready.map(({ name }) => name);
}

function requireTogether({
  pcrsig,
  pcrPrivateKey,
  manifest,
  name,
  imageVersion,
  manifestPrivateKey,
}: PredictOptions): void {
  if ((pcrsig === undefined) !== (pcrPrivateKey === undefined)) {
    throw new UsageError('--pcrsig and --pcr-private-key go together');
  }
  const others = [name, imageVersion, manifestPrivateKey];
  if (manifest === undefined || others.some((option) => option === undefined)) {
    if (manifest === undefined && others.every((option) => option === undefined)) return;
    throw new UsageError('--manifest, --name, --image-version and --manifest-private-key go together');
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw hostError(path, cause);
  }
}

async function signedPolicies({ artefacts, circumstances }: BootInputs, options: PredictOptions): Promise<string> {
  const { bank: banks = ['sha256'] as const, pcrPrivateKey: keyPath = '', phases } = options;
  const signers = new Map<Bank, Signer>();
  for (const hash of banks) signers.set(hash, await openKeyFileSigner({ keyPath, hash, ...passphraseOf(options) }));
  const values = predictPcr11(artefacts.uki, { ...circumstances, banks, ...(phases === undefined ? {} : { phases }) });
  return formatPcrSignatures(await signPcrPolicies(values, signers));
}

async function signedManifest(
  session: Session,
  path: string,
  { artefacts, circumstances, kind }: BootInputs,
  options: PredictOptions,
): Promise<Uint8Array> {
  const { name = '', imageVersion: version = '', manifestPrivateKey: keyPath = '', bank: banks = ['sha256'] } = options;
  const signer = await openKeyFileSigner({ keyPath, ...passphraseOf(options) });
  const { pcrs: _, isSecureBootOn: __, ...rest } = circumstances;
  const files = [artefactOf(path, kind)];
  const { manifest, notes } = makeBootManifest({ name, version, banks, artefacts, circumstances: rest, files });
  for (const note of notes) session.note(note);
  return await signManifest(manifest, signer);
}

const CHUNK_BYTES = 1024 * 1024;

function artefactOf(path: string, kind: ManifestArtefact['kind']): ManifestArtefact {
  using source = FileSource.open(path);
  const hash = startDigest('sha256');
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
  for (let at = 0; at < source.size; at += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, source.size - at));
    source.read(at, part);
    hash.update(part);
  }
  return { path: basename(path), kind, sizeBytes: source.size, sha256: toHex(hash.digest()) };
}
