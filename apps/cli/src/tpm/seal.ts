// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { FileSource, InPlaceFile } from '@vouchsafe/bytes/node';
import { changeToken, freeTokenNumber, readLuks2 } from '@vouchsafe/disk';
import { parsePcrList } from '@vouchsafe/eventlog';
import {
  encodeClevisJwe,
  formatPcrSelection,
  formatSealedFile,
  MAX_SEALED_BYTES,
  newClevisKey,
  type PcrSelection,
  type PcrValue,
  readPcrs,
  type SealParent,
  type SealPolicy,
  SRK_PARENT,
  seal as sealSecret,
  systemdTokenOf,
  type TpmTransport,
} from '@vouchsafe/tpm';
import { Option } from '../arguments/option.ts';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { readSmallFile, wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { random, type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';
import { pcrSelections } from './pcr-option.ts';
import { pinAuth, readPin, readPublicKey, valuesOf } from './seal-options.ts';

interface SealOptions {
  readonly tpm: TpmPlace;
  readonly output?: string;
  readonly format: 'vouchsafe' | 'clevis';
  readonly luks?: string;
  readonly keyslot?: number;
  readonly pcrs?: readonly PcrSelection[];
  readonly pcrValues?: string;
  readonly policyKey?: string;
  readonly signedPcrs: readonly PcrSelection[];
  readonly pinFile?: string;
  readonly force?: true;
}

/** What Clevis and systemd have their objects under. */
const PLAIN_PARENT: SealParent = { template: 'plain', key: 'ecc', hash: 'sha256' };

export const seal: Verb = {
  define(command, session) {
    command
      .description(
        'Seals a secret: only this TPM opens it, and only while PCRs hold what they should, or what a key has signed, or a PIN is known.',
      )
      .argument('<SECRET>', 'file with the secret; - for standard input')
      .addOption(tpmOption())
      .option('-o, --output <file>', 'where the sealed secret goes; - for standard output')
      .addOption(new Option('--format <name>', 'of the output').choices(['vouchsafe', 'clevis']).default('vouchsafe'))
      .option('--luks <file>', 'put it as a token of systemd into this LUKS2 volume or header, instead of an output')
      .option('--keyslot <number>', 'with --luks: the key slot whose passphrase is the secret in base64', wholeNumber)
      .option('--pcrs <list>', 'PCRs that must not change, as sha256:7,11', pcrSelections)
      .option('--pcr-values <file>', 'their values (default: as they are now), as of pcr predict or log replay')
      .option('--policy-key <file>', 'public key (PEM) whose signed PCRs open it: those of .pcrsig')
      .addOption(
        new Option('--signed-pcrs <list>', 'with --policy-key')
          .argParser(pcrSelections)
          .default([{ bank: 'sha256', pcrs: [11] }], 'sha256:11'),
      )
      .option('--pin-file <file>', 'file with a PIN that must be known')
      .option('--force', 'replace a file that exists')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        `\nA secret has at most ${MAX_SEALED_BYTES} octets; with --format clevis any size.\n\nExample:\n  vouchsafe tpm seal disk.key --pcrs sha256:7 -o disk.sealed`,
      )
      .action((secret: string, options: SealOptions) => run(session, secret, options));
  },
};

async function run(session: Session, path: string, options: SealOptions): Promise<void> {
  requireTarget(options);
  requireDistinctOutputs([path, options.pcrValues, options.policyKey, options.pinFile], [options.output]);
  const secret = readSmallFile(path);
  const auth = options.pinFile === undefined ? undefined : pinAuth(readPin(options.pinFile));
  const policy: SealPolicy = {
    hash: 'sha256',
    ...(options.policyKey === undefined
      ? {}
      : { signedPcrs: { spki: readPublicKey(options.policyKey), pcrs: options.signedPcrs } }),
    ...(options.pcrs === undefined ? {} : { pcrs: options.pcrs }),
    withPin: auth !== undefined,
  };
  if (policy.signedPcrs === undefined && policy.pcrs === undefined && auth === undefined) {
    session.note('sealed to this TPM alone: whatever boots here opens it; --pcrs, --policy-key or --pin-file bind it');
  }
  const given = options.pcrValues === undefined ? undefined : parsePcrList(readSmallFile(options.pcrValues));
  const inputs: Inputs = {
    secret,
    policy,
    ...(auth === undefined ? {} : { auth }),
    ...(given === undefined ? {} : { given }),
  };
  if (options.luks !== undefined) await sealToLuks(session, inputs, options.luks, options);
  else await sealToFile(session, inputs, options);
}

interface Inputs {
  readonly secret: Uint8Array;
  readonly policy: SealPolicy;
  readonly auth?: Uint8Array;
  /** Values to seal to, instead of those of now. */
  readonly given?: readonly PcrValue[];
}

function requireTarget({ output, luks, keyslot, format }: SealOptions): void {
  if ((output === undefined) === (luks === undefined))
    throw new UsageError('expected --output or --luks, and not both');
  if ((luks === undefined) !== (keyslot === undefined)) throw new UsageError('--luks and --keyslot go together');
  if (luks !== undefined && format === 'clevis')
    throw new UsageError('--luks has a format of its own; leave --format out');
}

async function sealInto(place: TpmPlace, { policy, given, auth }: Inputs, parent: SealParent, secret: Uint8Array) {
  return withTpm(place, async (tpm) => {
    const values = await valuesToSealTo(tpm, policy, given);
    const pin = auth === undefined ? {} : { auth };
    return { values, sealed: await sealSecret(tpm, { secret, parent, policy, values, ...pin, random }) };
  });
}

async function valuesToSealTo(
  tpm: TpmTransport,
  { pcrs = [] }: SealPolicy,
  given: readonly PcrValue[] | undefined,
): Promise<readonly PcrValue[]> {
  return given === undefined ? (await readPcrs(tpm, pcrs)).values : valuesOf(given, pcrs);
}

async function sealToFile(session: Session, inputs: Inputs, options: SealOptions): Promise<void> {
  const { output = '-', format, force } = options;
  using file = openSmallOutput(session, output, { option: '--output', force });
  let text: string;
  if (format === 'clevis') {
    if (inputs.policy.withPin || inputs.policy.signedPcrs !== undefined) {
      throw new UsageError('--format clevis: Clevis has no place for a PIN or signed PCRs');
    }
    const { key, jwk } = newClevisKey(random);
    const { sealed } = await sealInto(options.tpm, inputs, PLAIN_PARENT, jwk);
    text = encodeClevisJwe(sealed, key, inputs.secret, random);
  } else {
    const { sealed, values } = await sealInto(options.tpm, inputs, SRK_PARENT, inputs.secret);
    text = formatSealedFile({ sealed, sealedTo: values });
  }
  file.commit(utf8(text));
  answer(session, inputs.policy, { output, format });
}

async function sealToLuks(session: Session, inputs: Inputs, path: string, options: SealOptions): Promise<void> {
  using source = FileSource.open(path);
  const luks = readLuks2(source);
  for (const { hint, actual } of luks.findings) session.note(`${path}: ${actual ?? ''} ${hint}`.trim());
  const number = freeTokenNumber(luks.metadata);
  const { sealed } = await sealInto(options.tpm, inputs, PLAIN_PARENT, inputs.secret);
  const token = systemdTokenOf({ shards: [sealed], keyslots: [String(options.keyslot)] });
  using device = InPlaceFile.open(path);
  for (const { offset, bytes } of changeToken(luks, number, token, [random(64), random(64)])) {
    device.write(offset, bytes);
    device.flush();
  }
  answer(session, inputs.policy, { luks: path, token: number });
}

function answer(session: Session, policy: SealPolicy, where: Readonly<Record<string, string | number>>): void {
  const bound = [
    ...(policy.signedPcrs === undefined ? [] : [`signed ${formatPcrSelection(policy.signedPcrs.pcrs)}`]),
    ...(policy.pcrs === undefined ? [] : [formatPcrSelection(policy.pcrs)]),
    ...(policy.withPin ? ['a PIN'] : []),
  ];
  const target = Object.entries(where).map(([name, value]) => `${name} ${value}`);
  session.answer(`sealed to ${bound.join(', ') || 'this TPM'} (${target.join(', ')})`, { ...where, boundTo: bound });
}
