// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { checkUkiFile, openPe, parseSbatLevel, readShimSbatLevels, type UkiContext } from '@vouchsafe/pe';
import { EXIT } from '../exit-code.ts';
import { readSignatureLists } from '../keys/signature-lists-file.ts';
import { collect, textOrFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { findingsText } from '../verity/findings-text.ts';

interface VerifyOptions {
  readonly db?: readonly string[];
  readonly dbx?: readonly string[];
  readonly sbatLevel?: string;
  readonly shim?: string;
  readonly addon?: true;
  readonly signedKernel?: true;
}

export const verify: Verb = {
  define(command, session) {
    command
      .description('Says whether a UKI or an addon would boot, and if not, why.')
      .argument('<FILE>', 'file to check')
      .option(
        '--db <file>',
        'what firmware trusts: certificates, signature lists (.esl), a signed update (.auth), or images, by their digest; may be repeated. Without it Secure Boot counts as off',
        collect<string>,
      )
      .option('--dbx <file>', 'what firmware forbids, in the same forms; may be repeated', collect<string>)
      .option('--sbat-level <text>', 'the SBAT level that shim enforces, or @ and the name of a file')
      .option('--shim <file>', 'the shim that starts it, for the SBAT levels in it')
      .option('--addon', 'it is to be an addon, whatever it says it is')
      .option('--signed-kernel', 'the kernel inside must be signed too')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExits with 0 when it would boot, 1 when it would not. Warnings do not count.\n\nExample:\n  vouchsafe uki verify linux.signed.efi --db db.crt',
      )
      .action((path: string, options: VerifyOptions) => run(session, path, options));
  },
};

function run(session: Session, path: string, options: VerifyOptions): void {
  using source = FileSource.open(path);
  const findings = checkUkiFile(source, contextOf(options));
  const errors = findings.filter(({ severity }) => severity === 'error');
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  const isGood = errors.length === 0;
  if (!isGood) session.exitCode = EXIT.no;
  const verdict = isGood
    ? `${path}: would boot ${options.db === undefined ? 'with Secure Boot off (name --db to check signatures)' : 'with Secure Boot on'}`
    : `${path}: would not boot`;
  const lines = [
    verdict,
    ...(isGood ? [] : [findingsText(errors)]),
    ...(warnings.length === 0 ? [] : ['', 'Warnings:', findingsText(warnings)]),
  ];
  session.answer(printable(lines.join('\n')), { isGood, findings });
}

function contextOf({ db, dbx, sbatLevel, shim, addon, signedKernel }: VerifyOptions): UkiContext {
  if (sbatLevel !== undefined && shim !== undefined) {
    throw new UsageError('name the SBAT level once: --sbat-level, or --shim');
  }
  if (db === undefined && dbx !== undefined) {
    throw new UsageError('--dbx goes with --db: firmware that forbids something trusts something, too');
  }
  return {
    ...(db === undefined ? {} : { secureBoot: { db: listsOf(db), dbx: listsOf(dbx ?? []) } }),
    ...(sbatLevel === undefined ? {} : { sbatLevel: parseSbatLevel(parseUtf8(textOrFile(sbatLevel))) }),
    ...(shim === undefined ? {} : shimLevels(shim)),
    ...(addon === undefined ? {} : { role: 'addon' }),
    ...(signedKernel === undefined ? {} : { isKernelSignatureRequired: true }),
  };
}

function shimLevels(path: string): Pick<UkiContext, 'sbatLevel' | 'laterSbatLevel'> {
  using source = FileSource.open(path);
  const levels = readShimSbatLevels(openPe(source));
  if (levels === undefined) {
    throw new UsageError(
      `${path}: expected a shim with a section .sbatlevel (15.6 or later), found none; give --sbat-level`,
    );
  }
  return { sbatLevel: levels.automatic, laterSbatLevel: levels.latest };
}

const listsOf = (paths: readonly string[]) => paths.flatMap((path) => readSignatureLists(path));
