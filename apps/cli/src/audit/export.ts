// SPDX-License-Identifier: Apache-2.0
import { OutputFile } from '@vouchsafe/bytes/node';
import { wholeNumber } from '../parse.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly output: string;
  readonly from?: number;
  readonly skipVerdicts?: boolean;
  readonly force?: boolean;
}

export const exportVerb: Verb = {
  define(command, session) {
    command
      .description(
        'Writes the audit log as JSON lines, with the verdicts that it vouches for and what audit verify needs to check it elsewhere.',
      )
      .requiredOption('-o, --output <file>', 'where it goes, or - for standard output')
      .option('--from <entry>', 'its first entry; all that there is unless given', wholeNumber)
      .option('--skip-verdicts', 'the log alone, which is much less')
      .option('--force', 'replace an existing file');
    addServiceOptions(command, 'audit export -o audit.jsonl').action((options: Options) => run(session, options));
  },
};

async function run(session: Session, options: Options): Promise<void> {
  const { output, from, skipVerdicts = false, force = false } = options;
  if (output === '-') session.claimOutput('--output');
  using file = output === '-' ? undefined : OutputFile.create(output, { force });
  let sizeBytes = 0;
  const query = [...(from === undefined ? [] : [`from=${from}`]), ...(skipVerdicts ? [] : ['records=true'])].join('&');
  await withService(options, async (client) => {
    for await (const chunk of client.stream(`/v1/audit${query === '' ? '' : `?${query}`}`)) {
      if (file !== undefined) file.write(sizeBytes, chunk);
      else if (!session.writeBytes(chunk)) return;
      sizeBytes += chunk.length;
    }
  });
  file?.commit();
  session.answer(`${output}: ${sizeBytes} octets`, { path: output, sizeBytes });
}
