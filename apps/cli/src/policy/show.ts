// SPDX-License-Identifier: Apache-2.0
import { POLICY_SCHEMA, STRICT_POLICY } from '@vouchsafe/appraise';
import { type PolicyVersion, policyVersions } from '@vouchsafe/protocol';
import { wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import { ServiceClientError } from '../service/error.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly schema?: boolean;
  readonly version?: number;
}

export const show: Verb = {
  define(command, session) {
    command
      .description(
        'Prints the built-in policy, strict, to copy and change; a policy of the service; or the facts that policies may ask about.',
      )
      .argument('[NAME]', 'of a policy of the service; the built-in one unless given')
      .option('--version <number>', 'which version; the active one unless given', wholeNumber)
      .option('--schema', 'the facts, as a Cedar schema');
    addServiceOptions(command, 'policy show').action(async (name: string | undefined, options: Options) =>
      name === undefined ? showOwn(session, options) : await showOfService(session, name, options),
    );
  },
};

function showOwn(session: Session, { schema }: Options): void {
  const text = (schema === true ? POLICY_SCHEMA : STRICT_POLICY).trim();
  session.answer(text, schema === true ? { schema: text } : { name: 'strict', policy: text });
}

async function showOfService(session: Session, name: string, options: Options): Promise<void> {
  const { version } = options;
  const all = await withService(options, (client) => client.list<PolicyVersion>(policyVersions, '/v1/policies'));
  const found = all.find(
    (one) => one.name === name && (version === undefined ? one.isActive : one.version === version),
  );
  if (found === undefined) throw new ServiceClientError('service_refused', `${name}: there is no such policy`);
  session.answer(printable(found.text), found);
}
