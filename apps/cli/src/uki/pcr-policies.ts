// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import type { Bank } from '@vouchsafe/manifest';
import { formatPcrSignatures, predictPcr11, signPcrPolicies } from '@vouchsafe/measure';
import type { PeFile, UkiContents } from '@vouchsafe/pe';
import { formatPem, type Signer } from '@vouchsafe/pki';
import { openCommandSigner, openKeyFileSigner } from '@vouchsafe/pki/node';
import type { Command } from '../arguments/command.ts';
import { collect, commandWords } from '../parse.ts';
import { passphraseOf, type SignCommandOptions } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';
import { collectBanks, collectPhases } from './build-options.ts';

/** Which PCR policies are signed, by ukify's names, and by whom. */
export interface PolicyOptions extends SignCommandOptions {
  readonly pcrPrivateKey?: readonly string[];
  readonly pcrSignCommand?: readonly string[];
  readonly pcrCertificate?: string;
  readonly pcrBanks?: readonly Bank[];
  readonly phases?: readonly (readonly string[])[];
}

/** A key that signs policies, and for which phases. */
export interface PolicySigner {
  readonly spki: Uint8Array;
  /** The key as a signer of each bank's hash. */
  readonly signers: ReadonlyMap<Bank, Signer>;
  readonly phases: readonly string[] | undefined;
}

export function addPolicyOptions(command: Command): Command {
  return command
    .option('--pcr-private-key <file>', 'sign PCR policies with this RSA key; may be repeated', collect<string>)
    .option(
      '--pcr-sign-command <command>',
      'sign PCR policies with a program, as --sign-command does; needs --pcr-certificate',
      commandWords,
    )
    .option('--pcr-certificate <file>', 'certificate of the key that this program has')
    .option('--pcr-banks <banks>', 'banks to predict and sign for (default: sha256)', collectBanks)
    .option(
      '--phases <paths>',
      'boot phase paths, as enter-initrd:leave-initrd; where repeated, the first for the first key, and so on',
      collectPhases,
    );
}

/**
 * @throws {UsageError} for keys and phases that do not pair up.
 * @throws {PkiError} when a key cannot be used.
 */
export async function openPolicySigners(options: PolicyOptions): Promise<PolicySigner[]> {
  const { pcrPrivateKey: keys = [], pcrSignCommand: command, pcrCertificate, pcrBanks = ['sha256'], phases } = options;
  if ((command === undefined) !== (pcrCertificate === undefined)) {
    throw new UsageError('--pcr-sign-command and --pcr-certificate go together');
  }
  const openers = keys.map((keyPath) => (hash: Bank) => openKeyFileSigner({ keyPath, hash, ...passphraseOf(options) }));
  if (command !== undefined && pcrCertificate !== undefined) {
    const { signInput: stdin, signTimeout } = options;
    const common = { command, certificatePath: pcrCertificate, stdin, timeoutMs: signTimeout * 1000 };
    openers.push((hash) => openCommandSigner({ ...common, hash }));
  }
  if (phases !== undefined && openers.length > 0 && phases.length !== openers.length) {
    throw new UsageError(`give --phases once for each key that signs policies: ${openers.length} times, or never`);
  }
  const found: PolicySigner[] = [];
  for (const [i, open] of openers.entries()) {
    const signers = new Map<Bank, Signer>();
    for (const bank of pcrBanks) signers.set(bank, await open(bank));
    const [first] = signers.values();
    if (first === undefined) throw new UsageError('--pcr-banks names no bank to sign policies for');
    found.push({ spki: first.spki, signers, phases: phases?.[i] });
  }
  return found;
}

/** The public key that goes into an image beside the signatures: of the one key that signs, as ukify has it. */
export function publicKeyOf(signers: readonly PolicySigner[]): Uint8Array | undefined {
  const [only, ...more] = signers;
  return only === undefined || more.length > 0 ? undefined : utf8(formatPem('PUBLIC KEY', only.spki));
}

/**
 * The contents with the signed policies of what they were built to: a .pcrsig for the base or first profile, and one for
 * each further profile. .pcrsig itself is never measured.
 * @param uki the image without them.
 * @throws {MeasureError} for what cannot be predicted. @throws {PkiError} when a signature cannot be made.
 */
export async function withPolicies(
  uki: PeFile,
  contents: UkiContents,
  signers: readonly PolicySigner[],
): Promise<UkiContents> {
  const pcrsig = await signedPolicies(uki, 0, signers);
  const profiles = [];
  for (const [i, sections] of (contents.profiles ?? []).entries()) {
    const content = memorySource(await signedPolicies(uki, i + 1, signers), '.pcrsig');
    profiles.push([...sections, { name: '.pcrsig', content }]);
  }
  return { ...contents, pcrsig, ...(profiles.length === 0 ? {} : { profiles }) };
}

async function signedPolicies(uki: PeFile, profile: number, keys: readonly PolicySigner[]): Promise<Uint8Array> {
  const signatures = [];
  for (const { signers, phases } of keys) {
    const request = { banks: [...signers.keys()], profile, ...(phases === undefined ? {} : { phases }) };
    signatures.push(...(await signPcrPolicies(predictPcr11(uki, request), signers)));
  }
  return utf8(formatPcrSignatures(signatures));
}
