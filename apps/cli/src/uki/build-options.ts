// SPDX-License-Identifier: Apache-2.0
import type { Bank } from '@vouchsafe/manifest';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { collect, collectList, timeMs } from '../parse.ts';
import { addSignCommandOptions, openSigner, type SignCommandOptions } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';

/** What signs an image for Secure Boot, when something does. */
export interface SecureBootOptions extends SignCommandOptions {
  readonly securebootPrivateKey?: string;
  readonly securebootCertificate?: string;
  readonly signingTime?: number;
}

export interface OutputOptions {
  readonly output: string;
  readonly force?: true;
}

export function addOutputOptions(command: Command): Command {
  return command
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--force', 'replace an existing file')
    .option('--json', 'print one JSON document');
}

export function addSecureBootOptions(command: Command): Command {
  command
    .option('--key, --secureboot-private-key <file>', 'sign for Secure Boot with this key, PEM or DER')
    .option('--certificate, --secureboot-certificate <file>', 'its certificate, PEM or DER')
    .option(
      '--signing-time <time>',
      'write this time into the signature (default: none, as firmware reads none)',
      timeMs,
    );
  return addSignCommandOptions(command);
}

/**
 * What signs; undefined when nothing was asked for.
 * @throws {UsageError} for one half of it.
 */
export async function openSecureBootSigner(options: SecureBootOptions) {
  const { securebootPrivateKey: key, securebootCertificate: certificate, signCommand } = options;
  if (key === undefined && signCommand === undefined && certificate === undefined) return undefined;
  if (certificate === undefined) {
    throw new UsageError('--secureboot-certificate is missing: name the certificate of what signs');
  }
  return openSigner({ ...options, certificate, ...(key === undefined ? {} : { key }) });
}

const BANKS: readonly Bank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** For --pcr-banks and --bank: names between commas, or the option again. */
export function collectBanks(text: string, earlier: readonly Bank[] = []): readonly Bank[] {
  const banks = collectList(text).map((name) => {
    const bank = BANKS.find((known) => known === name.toLowerCase());
    if (bank === undefined) throw new InvalidArgumentError(`Expected ${BANKS.join(', ')}.`);
    return bank;
  });
  return [...new Set([...earlier, ...banks])];
}

/** Boot phase paths between commas or white space; each time the option is given it is another list. */
export function collectPhases(text: string, earlier?: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return collect(collectList(text), earlier);
}
