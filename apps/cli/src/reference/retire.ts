// SPDX-License-Identifier: Apache-2.0
import { timeMs } from '../parse.ts';
import { lifeMs } from '../service/life-time.ts';
import { timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly at?: number;
  readonly in?: number;
}

export const retire: Verb = {
  define(command, session) {
    command
      .description('Says until when an image is good, so that a roll-out has a window.')
      .argument('<SHA256>', 'of the manifest, as reference list shows it')
      .option('--in <span>', 'from now on, as 14d', lifeMs)
      .option('--at <time>', 'in UTC, as 2026-12-31T00:00:00Z', timeMs);
    addServiceOptions(command, 'reference retire SHA256 --in 14d').action(async (sha256: string, options: Options) => {
      if ((options.at === undefined) === (options.in === undefined)) throw new UsageError('give one of --in and --at');
      const atMs = options.at ?? Date.now() + (options.in as number);
      await withService(options, (client) =>
        client.act('POST', `/v1/references/${encodeURIComponent(sha256)}/retire`, { atMs }),
      );
      session.answer(`${sha256}: good until ${timeText(atMs)}`, { sha256, state: 'retiring', retiresAtMs: atMs });
    });
  },
};
