// SPDX-License-Identifier: Apache-2.0
import { core } from './0001-core.ts';
import { grants } from './0002-grants.ts';
import { retention } from './0003-retention.ts';
import { bounds } from './0004-bounds.ts';
import { deviceBoots } from './0005-device-boots.ts';
import { verdictGroups } from './0006-verdict-groups.ts';
import type { Migration } from './migration.ts';

/** In order. Add at the end. */
export const MIGRATIONS: readonly Migration[] = [core, grants, retention, bounds, deviceBoots, verdictGroups];
