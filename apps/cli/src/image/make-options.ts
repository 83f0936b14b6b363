// SPDX-License-Identifier: Apache-2.0
// What the commands that make images have in common.
import type { SectorSize } from '@vouchsafe/disk';
import type { Signer } from '@vouchsafe/pki';
import type { Command } from '../arguments/command.ts';
import { Option } from '../arguments/option.ts';
import { timeMs, uuidText } from '../parse.ts';
import { addSignCommandOptions, openSigner, type SignCommandOptions } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';

export interface MakeOptions extends SignCommandOptions {
  readonly output: string;
  readonly seed: string;
  readonly time?: number;
  readonly allRoot?: true;
  readonly key?: string;
  readonly certificate?: string;
  readonly force?: true;
}

/** Of what nobody gave a seed for: the same input gives the same image. */
const NIL_SEED = '00000000-0000-0000-0000-000000000000';

export function addMakeOptions(command: Command): Command {
  command
    .requiredOption('-o, --output <file>', 'where to write the image')
    .option('--seed <uuid>', 'all UUIDs and the salt are derived from it, as systemd-repart does', uuidText, NIL_SEED)
    .option(
      '--time <time>',
      'of file systems, and of files that have none or a later one (default: SOURCE_DATE_EPOCH, or 1970)',
      timeMs,
    )
    .option('--all-root', 'everything belongs to root, whoever it belongs to in the input')
    .option('--key <file>', 'private key that signs root hashes, PEM or DER')
    .option('--cert, --certificate <file>', 'its certificate, PEM or DER');
  return addSignCommandOptions(command)
    .option('--force', 'replace an existing output file')
    .option('--json', 'print one JSON document');
}

export function sectorSizeOption(): Option {
  return new Option('--sector-size <bytes>', 'of the device that the image is for')
    .choices(['512', '4096'])
    .default('512');
}

export const sectorSizeOf = (text: string): SectorSize => (text === '4096' ? 4096 : 512);

/** Seconds since 1970. @throws {UsageError} when SOURCE_DATE_EPOCH is no such number. */
export function timestampOf({ time }: MakeOptions): number {
  if (time !== undefined) return time / 1000;
  const text = process.env['SOURCE_DATE_EPOCH'] ?? '';
  if (text === '') return 0;
  if (!/^[0-9]{1,10}$/.test(text))
    throw new UsageError(`SOURCE_DATE_EPOCH: expected seconds since 1970, found ${text}`);
  return Number(text);
}

/** Who signs root hashes; undefined where nobody was named. @throws {UsageError} */
export async function rootHashSigner(options: MakeOptions): Promise<Signer | undefined> {
  const { key, signCommand, certificate } = options;
  if (key === undefined && signCommand === undefined) {
    if (certificate !== undefined) throw new UsageError('--certificate goes with --key or --sign-command');
    return undefined;
  }
  if (certificate === undefined) throw new UsageError('--certificate: name the certificate of the key that signs');
  return (await openSigner({ ...options, certificate })).signer;
}
