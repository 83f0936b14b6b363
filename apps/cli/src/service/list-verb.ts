// SPDX-License-Identifier: Apache-2.0
import type { TSchema } from 'typebox';
import type { Verb } from '../verb.ts';
import { tableText } from './table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from './with-service.ts';

/** A verb that shows all of something. */
export interface ListVerb<T> {
  readonly description: string;
  /** Words after `vouchsafe`. */
  readonly example: string;
  readonly schema: TSchema;
  readonly path: string;
  readonly heading: readonly string[];
  readonly row: (item: T) => readonly string[];
  /** What is said when there is nothing. */
  readonly none: string;
}

export function listVerb<T>({ description, example, schema, path, heading, row, none }: ListVerb<T>): Verb {
  return {
    define(command, session) {
      command.description(description);
      addServiceOptions(command, example).action(async (options: ServiceOptions) => {
        const items = await withService(options, (client) => client.list<T>(schema, path));
        session.answer(tableText(heading, items.map(row), none), items);
      });
    },
  };
}
