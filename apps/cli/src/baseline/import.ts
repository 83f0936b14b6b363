// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hostError } from '@vouchsafe/bytes/node';
import { encodeBase64url, firmwareBaseline, type ImportBaseline } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly name?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
}

const MIB = 1024 * 1024;
/** The suffix of a component, and of a folder of its variants. systemd.pcrlock(5). */
const COMPONENT = '.pcrlock';
const VARIANTS = '.pcrlock.d';

export const importBaseline: Verb = {
  define(command, session) {
    command
      .description(
        'Takes a boot log, as vendors hand it out for their firmware (the support RIM of a TCG Reference Integrity Manifest), or components of systemd-pcrlock as a baseline. It counts when it is approved.',
      )
      .argument('<FILE...>', 'one log; or .pcrlock files and .pcrlock.d folders, in their order')
      .option('--name <text>', 'how the baseline is called; the first file unless given')
      .option('--vendor <text>', 'of the machines; any unless given')
      .option('--model <text>', 'of the machines; any unless given')
      .option('--firmware-version <text>', 'as the firmware measures it; that in the log unless given')
      .addHelpText(
        'after',
        "\nWho handed it out is yours to check: a vendor's signature over the manifest that names the log is not looked at.",
      );
    addServiceOptions(command, 'baseline import vendor-firmware.rimel --vendor ACME --model R740').action(
      async (files: readonly string[], { service, ...options }: Options) => {
        const { vendor, model, firmwareVersion, name = basename(files[0] ?? '') } = options;
        const body: ImportBaseline = {
          name,
          ...(vendor === undefined ? {} : { vendor }),
          ...(model === undefined ? {} : { model }),
          ...(firmwareVersion === undefined ? {} : { firmwareVersion }),
          ...contentsOf(files),
        };
        const path = '/v1/baselines/import';
        const made = await withService({ service }, (client) => client.send(firmwareBaseline, 'POST', path, body));
        session.note('it counts when it is approved: vouchsafe baseline approve SHA256');
        session.answer(`${made.name}: ${made.events} events, ${made.life}, ${made.sha256}`, made);
      },
    );
  },
};

function contentsOf(files: readonly string[]): Pick<ImportBaseline, 'log' | 'components'> {
  const [first = ''] = files;
  if (files.length === 1 && !isComponent(first)) return { log: encodeBase64url(readSmallFile(first, MIB)) };
  const other = files.find((file) => !isComponent(file));
  if (other !== undefined) throw new UsageError(`${other}: expected one log alone, or ${COMPONENT} files`);
  return { components: files.map((file) => ({ name: basename(file), variants: variantsOf(file) })) };
}

const isComponent = (path: string): boolean => path.endsWith(COMPONENT) || path.replace(/\/+$/, '').endsWith(VARIANTS);

/** The files of a folder are each what may have been measured. */
function variantsOf(path: string): string[] {
  const read = (file: string): string => encodeBase64url(readSmallFile(file, MIB));
  try {
    if (!statSync(path).isDirectory()) return [read(path)];
    const names = readdirSync(path).filter((name) => name.endsWith(COMPONENT));
    return names.sort().map((name) => read(join(path, name)));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw hostError(path, cause);
  }
}
