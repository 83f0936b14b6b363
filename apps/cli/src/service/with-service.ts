// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../arguments/command.ts';
import { ServiceClient } from './service-client.ts';
import { readServiceFile } from './service-file.ts';

/** What every verb of an operator has. */
export interface ServiceOptions {
  readonly service: string;
}

const DEFAULT_FILE = 'vouchsafe-state/admin.json';

/** Options of every verb of an operator, and its example at the end. */
export function addServiceOptions(command: Command, example: string): Command {
  return command
    .option(
      '--service <file>',
      `who we are to which service; from VOUCHSAFE_SERVICE unless given, else ${DEFAULT_FILE}`,
      process.env['VOUCHSAFE_SERVICE'] ?? DEFAULT_FILE,
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nExample:\n  vouchsafe ${example}`);
}

/**
 * Something done with the service.
 * @throws {ServiceClientError}
 */
export async function withService<T>(
  { service }: ServiceOptions,
  use: (client: ServiceClient) => Promise<T>,
): Promise<T> {
  using client = new ServiceClient(readServiceFile(service));
  return await use(client);
}
