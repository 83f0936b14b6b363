// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { FIRST_RECIPE } from '@vouchsafe/image';
import { openSmallOutput } from '../outputs.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const init: Verb = {
  define(command, session) {
    command
      .description('Writes a first recipe, with comments.')
      .argument('[FILE]', 'where it goes; - for standard output (default: recipe.yaml)')
      .option('--force', 'replace a file that exists')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe image init first.yaml')
      .action((path: string | undefined, options: { readonly force?: true }) =>
        run(session, path ?? 'recipe.yaml', options.force),
      );
  },
};

function run(session: Session, path: string, force: true | undefined): void {
  using output = openSmallOutput(session, path, { option: 'FILE', force });
  output.commit(utf8(FIRST_RECIPE));
  session.answer(`wrote ${path}; edit it, then: vouchsafe image build ${path}`, { path });
}
