// SPDX-License-Identifier: Apache-2.0
import type { Verb } from '../verb.ts';
import { addServiceOptions, type ServiceOptions, withService } from './with-service.ts';

/** A verb that has the service do one thing to one thing. */
export interface ActVerb {
  readonly description: string;
  /** What stands for the thing, as 'ID', and what it is. */
  readonly operand: readonly [name: string, help: string];
  /** Words after `vouchsafe`. */
  readonly example: string;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** @param thing as it goes into a path. */
  readonly path: (thing: string) => string;
  /** What it is afterwards, as 'revoked'. */
  readonly state: string;
}

export function actVerb({ description, operand, example, method, path, state }: ActVerb): Verb {
  const [name, help] = operand;
  return {
    define(command, session) {
      command.description(description).argument(`<${name}>`, help);
      addServiceOptions(command, example).action(async (thing: string, options: ServiceOptions) => {
        const body = method === 'DELETE' ? undefined : {};
        await withService(options, (client) => client.act(method, path(encodeURIComponent(thing)), body));
        session.answer(`${thing}: ${state}`, { [name.toLowerCase()]: thing, state });
      });
    },
  };
}
