// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import type { Bank } from '@vouchsafe/manifest';
import { formatPcrSignatures, type PcrSignature, predictPcr11, signPcrPolicies } from '@vouchsafe/measure';
import { type NewSection, type PeFile, profileField, sectionSource, type UkiContents } from '@vouchsafe/pe';
import { formatPem, PkiError, parsePem, type Signer } from '@vouchsafe/pki';
import { openCommandSigner, openKeyFileSigner } from '@vouchsafe/pki/node';
import type { Command } from '../arguments/command.ts';
import { collect, commandWords, readSmallFile } from '../parse.ts';
import { inFile } from '../signature-files.ts';
import { passphraseOf, type SignCommandOptions } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';
import { collectBanks, collectPhases } from './build-options.ts';
import { machineChoices } from './machine-choices.ts';

/** Which PCR policies are signed, by ukify's names, and by whom. */
export interface PolicyOptions extends SignCommandOptions {
  readonly pcrPrivateKey?: readonly string[];
  readonly pcrPublicKey?: readonly string[];
  readonly pcrSignCommand?: readonly string[];
  readonly pcrCertificate?: string;
  readonly pcrBanks?: readonly Bank[];
  readonly phases?: readonly (readonly string[])[];
  readonly signProfile?: readonly string[];
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
      '--pcr-public-key <file>',
      'its public half, PEM; alone, the key that will sign elsewhere (--policy-digest); may be repeated',
      collect<string>,
    )
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
    )
    .option('--sign-profile <id>', 'sign policies for this profile alone; may be repeated', collect<string>);
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
  const { pcrPublicKey: publicKeys } = options;
  if (publicKeys !== undefined && openers.length > 0 && publicKeys.length !== openers.length) {
    throw new UsageError(
      `give --pcr-public-key once for each key that signs policies: ${openers.length} times, or never`,
    );
  }
  const found: PolicySigner[] = [];
  for (const [i, open] of openers.entries()) {
    const signers = new Map<Bank, Signer>();
    for (const bank of pcrBanks) signers.set(bank, await open(bank));
    const [first] = signers.values();
    if (first === undefined) throw new UsageError('--pcr-banks names no bank to sign policies for');
    const publicKey = publicKeys?.[i];
    if (publicKey !== undefined && !bytesEqual(readPublicKey(publicKey), first.spki)) {
      throw new PkiError(
        'key_mismatch',
        `${publicKey}: expected the public half of the key that signs, found another key`,
      );
    }
    found.push({ spki: first.spki, signers, phases: phases?.[i] });
  }
  return found;
}

/** @returns DER of SubjectPublicKeyInfo. */
export function readPublicKey(path: string): Uint8Array {
  const [block, ...more] = inFile(path, () => parsePem(readSmallFile(path), 'PUBLIC KEY'));
  if (block === undefined || more.length > 0) {
    throw new PkiError(
      'key_invalid',
      `${path}: expected one public key in PEM, found ${block === undefined ? 'none' : 'more'}`,
    );
  }
  return block.bytes;
}

/** The public key that goes into an image beside the signatures: of the one key that signs, as ukify has it. */
export function publicKeyOf(signers: readonly PolicySigner[]): Uint8Array | undefined {
  const [only, ...more] = signers;
  return only === undefined || more.length > 0 ? undefined : utf8(formatPem('PUBLIC KEY', only.spki));
}

/**
 * The contents with the signed policies of what they were built to: a .pcrsig for the base or first profile, and one for
 * each further profile, or for those profiles that are named. .pcrsig itself is never measured.
 * @param uki the image without them.
 * @param ids of the profiles to sign for; all when left out.
 * @throws {UsageError} for an ID that no profile has.
 * @throws {MeasureError} for what cannot be predicted. @throws {PkiError} when a signature cannot be made.
 */
export async function withPolicies(
  uki: PeFile,
  contents: UkiContents,
  signers: readonly PolicySigner[],
  ids?: readonly string[],
): Promise<UkiContents> {
  const profileIds = profileIdsOf(uki);
  const unknown = ids?.find((id) => !profileIds.includes(id));
  if (unknown !== undefined) throw new UsageError(`--sign-profile ${unknown}: no profile has this ID`);
  const isSigned = (profile: number): boolean => ids === undefined || ids.includes(profileIds[profile] ?? '');
  const pcrsig = isSigned(0) ? { pcrsig: await signedPolicies(uki, 0, signers) } : {};
  const profiles: NewSection[][] = [];
  for (const [i, sections] of (contents.profiles ?? []).entries()) {
    if (!isSigned(i + 1)) {
      profiles.push([...sections]);
      continue;
    }
    const content = memorySource(await signedPolicies(uki, i + 1, signers), '.pcrsig');
    profiles.push([...sections, { name: '.pcrsig', content }]);
  }
  return { ...contents, ...pcrsig, ...(profiles.length === 0 ? {} : { profiles }) };
}

/** ID= of each profile, in their order; empty where it has none. */
function profileIdsOf(uki: PeFile): string[] {
  return uki.sections
    .filter(({ name }) => name === '.profile')
    .map((section) => profileField(parseUtf8(readSection(uki, section)), 'ID') ?? '');
}

function readSection(uki: PeFile, section: PeFile['sections'][number]): Uint8Array {
  const source = sectionSource(uki, section);
  if (source.size > MAX_PROFILE_BYTES) {
    throw new UsageError(`.profile: expected at most ${MAX_PROFILE_BYTES} octets, found ${source.size}`);
  }
  return readBytes(source, 0, source.size);
}

/** A few lines of text. */
const MAX_PROFILE_BYTES = 64 * 1024;

async function signedPolicies(uki: PeFile, profile: number, keys: readonly PolicySigner[]): Promise<Uint8Array> {
  const signatures: PcrSignature[] = [];
  for (const { signers, phases } of keys) {
    for (const choice of machineChoices(uki, profile)) {
      const request = { ...choice, banks: [...signers.keys()], ...(phases === undefined ? {} : { phases }) };
      signatures.push(...(await signPcrPolicies(predictPcr11(uki, request), signers)));
    }
  }
  return utf8(formatPcrSignatures(withoutRepeats(signatures)));
}

/** What a stub does not measure makes no difference, and the same policy twice would be two entries of the same. */
function withoutRepeats(signatures: readonly PcrSignature[]): PcrSignature[] {
  const key = ({ bank, keyFingerprint, policy }: PcrSignature): string =>
    `${bank} ${toHex(keyFingerprint)} ${toHex(policy)}`;
  return [...new Map(signatures.map((signature) => [key(signature), signature])).values()];
}
