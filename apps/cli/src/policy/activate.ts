// SPDX-License-Identifier: Apache-2.0
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

export const activate: Verb = {
  define(command, session) {
    command
      .description(
        'Lets a version of a policy decide: a draft, or an earlier one to go back to. Version 0 is the built-in one.',
      )
      .argument('<NAME>', 'as policy list shows it')
      .argument('<VERSION>', 'as policy list shows it');
    addServiceOptions(command, 'policy activate trust 0').action(
      async (name: string, version: string, options: ServiceOptions) => {
        if (!/^[0-9]{1,7}$/.test(version)) throw new UsageError(`expected the number of a version, found '${version}'`);
        const path = `/v1/policies/${encodeURIComponent(name)}/versions/${version}/activate`;
        await withService(options, (client) => client.act('POST', path, {}));
        session.answer(`${name}: version ${version} decides now`, { name, version: Number(version), state: 'active' });
      },
    );
  },
};
