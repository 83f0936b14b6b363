// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { formatLogKey, logKey } from '@vouchsafe/audit';
import { encodeBase64 } from '@vouchsafe/pki';
import { auditHead, auditProof, strict } from '@vouchsafe/protocol';
import Type from 'typebox';
import { exportLog, proveConsistency, proveInclusion } from '../../domain/audit/read-log.ts';
import type { Service } from '../../domain/service.ts';
import { ServerError } from '../../error.ts';
import type { App } from '../app.ts';

const TAGS = { tags: ['audit'] } as const;
/** A whole number of a query, which is text. */
const count = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' });

/**
 * The audit log: its signed head, all of it from an entry on, and proofs for those who keep only heads. What was done before
 * it is asked for has its place in it: who checks after an act keeps a head that the act cannot be taken out of.
 */
export function addAuditRoutes(app: App, service: Service): void {
  const { store, keys, config } = service;
  const origin = config.grants.auditOrigin;
  app.get(
    '/v1/audit/head',
    { config: { access: 'viewer' }, schema: { ...TAGS, response: { 200: auditHead } } },
    async () => {
      await service.auditLog.settle();
      const [log, head] = [await store.read.audit.log(), await store.read.audit.newestHead()];
      const key = formatLogKey(logKey(origin, keys.audit.spki));
      return { key, first: log?.first ?? 0, size: head?.size ?? 0, ...(head === undefined ? {} : { head: head.note }) };
    },
  );
  app.get(
    '/v1/audit',
    {
      config: { access: 'viewer' },
      schema: {
        ...TAGS,
        querystring: Type.Object({ from: Type.Optional(count), records: Type.Optional(Type.Literal('true')) }, strict),
        response: { 200: Type.Any() },
      },
    },
    async (request, reply) => {
      const { from, records } = request.query;
      await service.auditLog.settle();
      const options = { from: from === undefined ? undefined : Number(from), withRecords: records !== undefined };
      const lines = exportLog(store, origin, options);
      // The first line is made before the answer begins: a wrong number is an error and not a text that ends early.
      const first = await lines.next();
      const text = async function* () {
        if (first.done !== true) yield `${first.value}\n`;
        for await (const line of lines) yield `${line}\n`;
      };
      return reply.header('content-type', 'application/jsonl').send(Readable.from(text()));
    },
  );
  app.get(
    '/v1/audit/proof',
    {
      config: { access: 'viewer' },
      schema: {
        ...TAGS,
        querystring: Type.Object({ size: count, index: Type.Optional(count), older: Type.Optional(count) }, strict),
        response: { 200: auditProof },
      },
    },
    async (request) => {
      const { size, index, older } = request.query;
      if ((index === undefined) === (older === undefined)) {
        throw new ServerError('request_malformed', 'expected an entry (index), or the size of an older log (older)');
      }
      if (Number(size) > service.auditLog.size) throw new ServerError('not_found', 'the log is not so long yet');
      const hashes =
        index === undefined
          ? await proveConsistency(store, Number(older), Number(size))
          : await proveInclusion(store, Number(index), Number(size));
      return { hashes: hashes.map(encodeBase64) };
    },
  );
}
