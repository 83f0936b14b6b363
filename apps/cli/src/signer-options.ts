// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import { type Certificate, PkiError, type Signer } from '@vouchsafe/pki';
import { type CommandSignerStdin, openCommandSigner, openKeyFileSigner } from '@vouchsafe/pki/node';
import type { Command } from './arguments/command.ts';
import { Option } from './arguments/option.ts';
import { commandWords, readSmallFile, wholeNumber } from './parse.ts';
import { UsageError } from './usage-error.ts';

/** How a command signs, when one does. */
export interface SignCommandOptions {
  readonly signCommand?: readonly string[];
  readonly signInput: CommandSignerStdin;
  readonly signTimeout: number;
  readonly passphraseFile?: string;
}

/** Which key signs. */
export interface SignerOptions extends SignCommandOptions {
  readonly key?: string;
  readonly certificate: string;
}

export function addSignerOptions(command: Command): Command {
  command
    .option('--key <file>', 'private key, PEM or DER')
    .requiredOption('--cert, --certificate <file>', 'its certificate, PEM or DER');
  return addSignCommandOptions(command);
}

/** What the ways to name a key have in common. */
export function addSignCommandOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'file with the pass phrase of an encrypted key, - for standard input')
    .option(
      '--sign-command <command>',
      'instead of a key: a program that gets a digest on standard input and writes the signature to standard output',
      commandWords,
    )
    .addOption(
      new Option('--sign-input <form>', 'what that program gets: the octets, hexadecimal, or DigestInfo for PKCS #11')
        .choices(['digest', 'hex', 'digest-info'])
        .default('digest'),
    )
    .option('--sign-timeout <seconds>', 'how long that program may take for a signature', wholeNumber, 120);
}

/**
 * @param hash for RSA; SHA-256 when left out.
 * @throws {UsageError} without exactly one of key and command.
 * @throws {PkiError} when the key or certificate cannot be used, or do not belong together.
 */
export async function openSigner(
  options: SignerOptions,
  hash?: DigestAlgorithm,
): Promise<{ readonly signer: Signer; readonly certificate: Certificate }> {
  const { key, certificate: certificatePath, signCommand } = options;
  if ((key === undefined) === (signCommand === undefined)) {
    throw new UsageError('name what signs once: --key FILE, or --sign-command COMMAND');
  }
  const hashOption = hash === undefined ? {} : { hash };
  const signer =
    key === undefined
      ? await openCommandSigner({
          command: signCommand ?? [],
          certificatePath,
          stdin: options.signInput,
          timeoutMs: options.signTimeout * 1000,
          ...hashOption,
        })
      : await openKey(key, options, hashOption);
  return { signer, certificate: signer.certificate as Certificate };
}

/** The library cannot say how a pass phrase is given here. */
async function openKey(
  keyPath: string,
  options: SignerOptions,
  hashOption: { readonly hash?: DigestAlgorithm },
): Promise<Signer> {
  const { certificate: certificatePath, passphraseFile } = options;
  try {
    return await openKeyFileSigner({ keyPath, certificatePath, ...passphraseOf(options), ...hashOption });
  } catch (cause) {
    if (!(cause instanceof PkiError && cause.code === 'passphrase_wrong')) throw cause;
    const message =
      passphraseFile === undefined
        ? `${keyPath}: the key is encrypted; give its pass phrase with --passphrase-file FILE, - for standard input`
        : `${cause.message}; the pass phrase is from ${passphraseFile === '-' ? 'standard input' : passphraseFile}`;
    throw new PkiError('passphrase_wrong', message, { cause });
  }
}

/** The pass phrase in the file that is named, without the line feed that editors add. */
export function passphraseOf({ passphraseFile }: Pick<SignCommandOptions, 'passphraseFile'>): { passphrase?: string } {
  if (passphraseFile === undefined) return {};
  if (passphraseFile !== '-') return { passphrase: readPassphrase(passphraseFile) };
  fromStandardInput ??= readPassphrase('-');
  return { passphrase: fromStandardInput };
}

/** Several keys may be under it, and standard input can be read once. */
let fromStandardInput: string | undefined;

function readPassphrase(path: string): string {
  return parseUtf8(readSmallFile(path)).replace(/\r?\n$/, '');
}
