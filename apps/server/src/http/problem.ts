// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import type { Problem } from '@vouchsafe/protocol';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Service } from '../domain/service.ts';
import { PROBLEMS, ServerError, type ServerErrorCode } from '../error.ts';
import { databaseFaultOf } from '../store/database-fault.ts';

const MAX_DETAIL_CHARS = 2048;

/** Fastify's own refusals, by its codes. */
const FASTIFY_CODES: Readonly<Record<string, ServerErrorCode>> = {
  FST_ERR_VALIDATION: 'request_malformed',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'request_malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'request_malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request_malformed',
  FST_ERR_BAD_URL: 'request_malformed',
};

/** Every answer that is no success, as RFC 9457 has it. What is not ours says nothing of itself to the outside. */
export function addProblems(app: FastifyInstance, service: Service): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { code, detail, pointer, members } = classify(error);
    const isDatabase = code.startsWith('database_');
    if (code === 'internal' || isDatabase) {
      service.log.error({ requestId: request.id, error: describe(error, !isDatabase) }, 'a request failed');
    }
    return sendProblem(request, reply, code, detail, { ...members, ...(pointer === undefined ? {} : { pointer }) });
  });
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, 'not_found', 'there is no such route'));
}

interface Classified {
  readonly code: ServerErrorCode;
  readonly detail?: string | undefined;
  readonly pointer?: string | undefined;
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

function classify(error: FastifyError): Classified {
  if (error instanceof ServerError) return { code: error.code, detail: error.message, members: error.members };
  if (isVouchsafeError(error) && !isOurs(error.code)) {
    // Input that a parser refused, wherever it was found: `cause` says which parser.
    const pointer = (error as { pointer?: unknown }).pointer;
    return {
      code: 'request_malformed',
      detail: error.message,
      pointer: typeof pointer === 'string' ? pointer : undefined,
      members: { cause: error.code },
    };
  }
  const [invalid] = error.validation ?? [];
  const known = FASTIFY_CODES[error.code];
  if (known !== undefined) return { code: known, detail: error.message, pointer: invalid?.instancePath };
  if (error.statusCode === 429) return { code: 'too_many_requests', detail: error.message };
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return { code: 'request_malformed', detail: error.message };
  }
  const fault = databaseFaultOf(error);
  return fault === undefined
    ? { code: 'internal' }
    : { code: fault.code, detail: `${fault.hint}; nothing was changed` };
}

/** Of programs that the service runs and files that it reads: no input, and nothing that callers need to hear of. */
const isOurs = (code: string): boolean => code.startsWith('command_') || code === 'io';

function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  code: ServerErrorCode,
  detail?: string,
  members: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const { status, title } = PROBLEMS[code];
  const body: Problem = {
    ...members,
    type: `urn:vouchsafe:problem:${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail: detail.slice(0, MAX_DETAIL_CHARS) }),
    requestId: String(request.id),
  };
  if (code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
  if (status === 503) void reply.header('retry-after', '10');
  if (code === 'too_many_requests') void reply.header('retry-after', '60');
  return reply.code(status).header('content-type', 'application/problem+json').serializer(JSON.stringify).send(body);
}

/** For the service's own log. While the database is away each request is told of: where in the program says nothing then. */
const describe = ({ name, code, message, stack }: Error & { code?: unknown }, withStack: boolean): object => ({
  name,
  code,
  message,
  ...(withStack ? { stack } : {}),
});
