// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import { auditHead } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import { type ServiceOptions, withService } from '../service/with-service.ts';
import type { Session } from '../session.ts';

/** The log's key as it was given; else as it was seen first; else as the service says it, which is told. */
export async function logKeyText(
  session: Session,
  options: ServiceOptions & { readonly key?: string },
  kept: string | undefined,
): Promise<string> {
  if (options.key !== undefined) return parseUtf8(readSmallFile(options.key, 1024 * 1024)).trim();
  if (kept !== undefined) return kept;
  const { key } = await withService(options, (client) => client.get(auditHead, '/v1/audit/head'));
  session.note(`the log's key is taken as the service says it, this once: ${key}`);
  return key;
}
