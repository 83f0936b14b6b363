// SPDX-License-Identifier: Apache-2.0

import { explainLog } from '@vouchsafe/appraise';
import type { Bank, BootCondition } from '@vouchsafe/manifest';
import { Option } from '../arguments/option.ts';
import { EXIT } from '../exit-code.ts';
import { readManifestFile } from '../manifest-file.ts';
import { collect } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { explanationDocument, explanationText } from './explanation-text.ts';
import { readLog } from './read-log.ts';

interface ExplainOptions {
  readonly manifest: readonly string[];
  readonly key?: readonly string[];
  readonly secureBoot?: 'on' | 'off';
  readonly bank?: Bank;
  readonly all?: true;
}

export const explain: Verb = {
  define(command, session) {
    command
      .description(
        'Says of each event of LOG where it comes from: which file of which image, or the machine; what is unexpected, and why it may be there; what is missing.',
      )
      .argument('<LOG...>', 'firmware log, canonical log, userspace log; several are one boot, in this order')
      .requiredOption(
        '--manifest <file>',
        'signed manifest of an image that may have booted; may be repeated',
        collect<string>,
      )
      .option('--key <file>', 'public key that manifests must be signed by; may be repeated', collect<string>)
      .addOption(
        new Option('--secure-boot <state>', 'as the machine had it (default: what fits best)').choices(['on', 'off']),
      )
      .addOption(new Option('--bank <name>', 'bank of PCRs').choices(['sha1', 'sha256', 'sha384', 'sha512']))
      .option('--all', "events of the machine's own PCRs too")
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        "\nThe exit status is 1 when something is unexpected or missing. A log is anybody's word until a quote vouches for it.\n\nExample:\n  vouchsafe log explain boot.log --manifest edge.manifest.json --key manifest.pub",
      )
      .action((paths: readonly string[], options: ExplainOptions) => run(session, paths, options));
  },
};

function run(session: Session, paths: readonly string[], options: ExplainOptions): void {
  const { key = [], secureBoot, bank } = options;
  const manifests = options.manifest.map((path) => readManifestFile(session, path, key));
  const events = paths.flatMap((path) => readLog(path, [], (text) => session.note(text)).log.events);
  const condition: Partial<BootCondition> = secureBoot === undefined ? {} : { secureBoot };
  const explained = explainLog(events, {
    manifests: manifests.map(({ manifest }) => manifest),
    condition,
    ...(bank === undefined ? {} : { bank }),
  });
  const isVerified = manifests.find(({ manifest }) => manifest === explained.manifest)?.isVerified ?? false;
  if (!explained.isAsExpected) session.exitCode = EXIT.no;
  session.answer(
    printable(explanationText(explained, options.all === true)),
    explanationDocument(explained, isVerified),
  );
}
