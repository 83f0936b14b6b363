// SPDX-License-Identifier: Apache-2.0
import { POLICY_SCHEMA, STRICT_POLICY } from '@vouchsafe/appraise';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const show: Verb = {
  define(command, session) {
    command
      .description('Prints the built-in policy, strict, to copy and change; or the facts that policies may ask about.')
      .option('--schema', 'the facts, as a Cedar schema')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe policy show')
      .action((options: { readonly schema?: true }) => run(session, options));
  },
};

function run(session: Session, { schema }: { readonly schema?: true }): void {
  const text = (schema ? POLICY_SCHEMA : STRICT_POLICY).trim();
  session.answer(text, schema ? { schema: text } : { name: 'strict', policy: text });
}
