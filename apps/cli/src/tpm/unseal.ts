// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, parseUtf8 } from '@vouchsafe/base';
import { parsePcrSignatures, pcrKeyFingerprint } from '@vouchsafe/measure';
import {
  type PcrlockPolicy,
  type PolicySignature,
  parsePcrlockPolicy,
  type SealedObject,
  systemdPinAuth,
  TpmError,
  unseal as unsealObject,
} from '@vouchsafe/tpm';
import { openSmallOutput, requireDistinctOutputs } from '../outputs.ts';
import { collect, readSmallFile, wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { random, type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';
import { readPin } from './seal-options.ts';
import { openSealed, type SealedInput } from './sealed-input.ts';
import { explainFailure, type FailureOptions, REFUSALS } from './unseal-failure.ts';

interface UnsealOptions extends FailureOptions {
  readonly tpm: TpmPlace;
  readonly output: string;
  readonly pcrsig?: string;
  readonly pcrlock?: string;
  readonly pinFile?: string;
  readonly token?: number;
  readonly force?: true;
}

export const unseal: Verb = {
  define(command, session) {
    command
      .description(
        'Opens what tpm seal, clevis encrypt tpm2 or systemd-cryptenroll sealed; when the machine is not as it should be, says which PCR differs, and by its logs which event.',
      )
      .argument('<FILE>', 'sealed secret, JWE, or LUKS2 volume or header with a token of systemd')
      .addOption(tpmOption())
      .option('-o, --output <file>', 'where the secret goes; of a volume the passphrase of its key slot', '-')
      .option('--pcrsig <file>', 'signed PCR policies, for what is sealed to them')
      .option('--pcrlock <file>', 'policy of systemd-pcrlock, /var/lib/systemd/pcrlock.json, for what is sealed to it')
      .option('--pin-file <file>', 'file with the PIN')
      .option('--token <number>', 'number of the token, where a volume has several of systemd', wholeNumber)
      .option(
        '--log <file>',
        'log of this boot, to say why it does not open; may be repeated, in order',
        collect<string>,
      )
      .option(
        '--sealed-log <file>',
        'with --log: log of the boot in which it was sealed; may be repeated',
        collect<string>,
      )
      .option(
        '--manifest <file>',
        'with --log: manifest of an image that should have booted; may be repeated',
        collect<string>,
      )
      .option('--key <file>', 'public key that manifests must be signed by; may be repeated', collect<string>)
      .option('--force', 'replace a file that exists')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExit status 1: the TPM does not open it now.\n\nExample:\n  vouchsafe tpm unseal disk.sealed -o disk.key',
      )
      .action((path: string, options: UnsealOptions) => run(session, path, options));
  },
};

async function run(session: Session, path: string, options: UnsealOptions): Promise<void> {
  requireDistinctOutputs([path, options.pcrsig, options.pcrlock, options.pinFile], [options.output]);
  requireLog(options);
  const opened = openSealed(path, options.token);
  const { shards } = opened;
  const signatures = shards.flatMap((sealed) => signaturesFor(sealed, options.pcrsig));
  const pcrlock = pcrlockFor(shards, options.pcrlock);
  const auth = authFor(opened, options.pinFile);
  using output = openSmallOutput(session, options.output, { option: '--output', force: options.force });
  await withTpm(options.tpm, async (tpm) => {
    try {
      const secrets: Uint8Array[] = [];
      for (const sealed of shards) {
        const inputs = {
          signatures,
          ...(pcrlock === undefined ? {} : { pcrlock }),
          ...(auth === undefined ? {} : { auth }),
        };
        secrets.push(await unsealObject(tpm, { sealed, ...inputs, random }));
      }
      output.commit(opened.finish(secrets));
      if (options.output !== '-') session.answer(`opened into ${options.output}`, { output: options.output });
    } catch (error) {
      if (!(error instanceof TpmError) || !REFUSALS.has(error.code)) throw error;
      await explainFailure(session, tpm, error, opened, pcrlock, options);
    }
  });
}

function requireLog({ log, sealedLog, manifest, key }: UnsealOptions): void {
  if (log === undefined && (sealedLog !== undefined || manifest !== undefined)) {
    throw new UsageError('--sealed-log and --manifest are compared with the log of this boot: --log');
  }
  if (key !== undefined && manifest === undefined) throw new UsageError('--key goes with --manifest');
}

function authFor({ shards, pinSalt }: SealedInput, pinFile: string | undefined): Uint8Array | undefined {
  if (!shards.some(({ policy }) => policy.withPin)) return undefined;
  if (pinFile === undefined) throw new UsageError('it needs a PIN: --pin-file');
  return systemdPinAuth(readPin(pinFile), pinSalt);
}

function pcrlockFor(shards: readonly SealedObject[], path: string | undefined): PcrlockPolicy | undefined {
  if (!shards.some(({ policy }) => policy.pcrlock !== undefined)) return undefined;
  if (path === undefined) {
    throw new UsageError('it is sealed to a policy of systemd-pcrlock: give its file with --pcrlock');
  }
  return parsePcrlockPolicy(parseUtf8(readSmallFile(path)), path);
}

/** Those that the policy's key made, over digests that a TPM takes for it. */
function signaturesFor({ policy: { signedPcrs } }: SealedObject, path: string | undefined): PolicySignature[] {
  if (signedPcrs === undefined) return [];
  if (path === undefined) throw new UsageError('it is sealed to signed PCRs: give the signatures with --pcrsig');
  const fingerprint = pcrKeyFingerprint(signedPcrs.spki);
  return parsePcrSignatures(parseUtf8(readSmallFile(path)), path)
    .filter(({ keyFingerprint, bank }) => bank === 'sha256' && bytesEqual(keyFingerprint, fingerprint))
    .map(({ policy, signature }) => ({
      policy,
      signature: { sigAlg: 'rsassa', signature: { hash: 'sha256', sig: signature } },
    }));
}
