// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBytes } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import { openSmallOutput } from '../outputs.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface BundleOptions {
  readonly output: string;
  readonly force?: true;
}

/** Makes it of the sources; a program that was made by it has none. */
const WORKSHOP = fileURLToPath(new URL('../../../../tools/bundle-agent.ts', import.meta.url));

export const bundle: Verb = {
  define(command, session) {
    command
      .description(
        'Writes the agent as one JavaScript file that needs Node.js 24 and nothing else, to be put into an image with its unit, apps/agent/systemd/vouchsafe-agent.service.',
      )
      .requiredOption('-o, --output <file>', 'where it goes')
      .option('--force', 'replace a file that exists')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe agent bundle -o vouchsafe-agent.cjs')
      .action((options: BundleOptions) => run(session, options));
  },
};

function run(session: Session, { output, force }: BundleOptions): void {
  using file = openSmallOutput(session, output, { option: '--output', force });
  const bytes = bundled();
  file.commit(bytes);
  session.answer(`${output}: ${formatBytes(bytes.length)}`, { path: output, sizeBytes: bytes.length });
}

function bundled(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-bundle-'));
  try {
    const draft = join(folder, 'agent.cjs');
    const { status } = spawnSync(process.execPath, [WORKSHOP, draft], { stdio: ['ignore', 2, 'inherit'] });
    if (status !== 0)
      throw new UsageError('the agent is bundled in a checkout of the sources, with its tools installed');
    return readFileSync(draft);
  } catch (cause) {
    throw cause instanceof UsageError ? cause : hostError(folder, cause);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
