// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Options for node:test: `test(name, needsTool('veritysetup'), fn)`. The runner counts these skips by their words. */
export interface Requirement {
  skip?: string;
}

function onPath(tool: string): boolean {
  // Debian puts administrators' tools in sbin, which is not on every user's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Skips the test by name when one of the tools is not on this machine; in CI the runner makes that a failure. */
export function needsTool(...tools: string[]): Requirement {
  const missing = tools.filter((tool) => !onPath(tool));
  return missing.length === 0 ? {} : { skip: `missing tool: ${missing.join(', ')}` };
}

/**
 * Skips the test where no mount namespace can be had. Being root is not enough: a container withholds the capability,
 * and in a chroot the propagation of `/` cannot be changed.
 */
export function needsMountNamespace(): Requirement {
  const probe = spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
  return probe.status === 0 ? {} : { skip: 'missing tool: a mount namespace (unshare --mount)' };
}
