// SPDX-License-Identifier: Apache-2.0
import { OutputFile } from '@vouchsafe/bytes/node';
import { encodeSignatureLists, joinSignatureLists, signVariable, VARIABLE_ATTRIBUTE } from '@vouchsafe/pe';

import { requireDistinctOutputs } from '../outputs.ts';
import { timeMs, uuidText } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { addSignerOptions, openSigner, type SignerOptions } from '../signer-options.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { isKeyVariable, KEY_VARIABLES, type KeyVariableName } from './key-variables.ts';
import { readSignatureLists } from './signature-lists-file.ts';

interface UpdateOptions extends SignerOptions {
  readonly append?: true;
  readonly time?: number;
  readonly owner?: string;
  readonly output: string;
  readonly force?: true;
}

export const update: Verb = {
  define(command, session) {
    addSignerOptions(
      command
        .description(
          'Signs an update of PK, KEK, db or dbx for machines that have the keys: another certificate to trust, or what is no longer to start.',
        )
        .argument('<VARIABLE>', 'PK, KEK, db or dbx')
        .argument(
          '<FILE...>',
          'certificates, signature lists (.esl), signed updates (.auth), or images, which count by their digest',
        ),
    )
      .option('--append', 'add to what the variable holds (default: replace it)')
      .option('--time <time>', 'of the update; firmware takes later ones only (default: now)', timeMs)
      .option('--owner <uuid>', 'owner of the entries (default: zeros)', uuidText)
      .requiredOption('-o, --output <file>', 'file to write, .auth')
      .option('--force', 'replace an existing file')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nPK and KEK are signed with the key of PK, db and dbx with that of KEK.\n\nExample:\n  vouchsafe keys update dbx bad.efi --append --key keys/KEK.key --certificate keys/KEK.crt -o dbx-update.auth',
      )
      .action((name: string, paths: readonly string[], options: UpdateOptions) => run(session, name, paths, options));
  },
};

async function run(session: Session, name: string, paths: readonly string[], options: UpdateOptions): Promise<void> {
  const variable = variableOf(name);
  requireDistinctOutputs([...paths, options.key, options.certificate, options.passphraseFile], [options.output]);
  session.whenInterrupted = 'nothing was left under a final name';
  const { signer, certificate } = await openSigner(options);
  const lists = joinSignatureLists(
    paths.flatMap((path) => readSignatureLists(path, options.owner)),
    [],
  );
  const entries = lists.reduce((sum, { signatures }) => sum + signatures.length, 0);
  const target = KEY_VARIABLES[variable];
  const attributes = target.attributes | (options.append === undefined ? 0 : VARIABLE_ATTRIBUTE.appendWrite);
  // Firmware keeps whole seconds.
  const time = options.time ?? Math.floor(Date.now() / 1000) * 1000;
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  output.write(0, await signVariable({ ...target, attributes }, encodeSignatureLists(lists), { signer, timeMs: time }));
  output.commit();
  const does = options.append === undefined ? 'replaces' : 'adds to';
  session.answer(
    `${options.output}: ${does} ${variable} with ${entries} ${entries === 1 ? 'entry' : 'entries'}, signed by ${printable(certificate.subject.text)}`,
    {
      output: options.output,
      variable,
      append: options.append ?? false,
      entries,
      time: new Date(time).toISOString(),
      signedBy: certificate.subject.text,
    },
  );
}

function variableOf(name: string): KeyVariableName {
  if (!isKeyVariable(name)) {
    throw new UsageError(`expected ${Object.keys(KEY_VARIABLES).join(', ')} as VARIABLE, found '${name}'`);
  }
  return name;
}
