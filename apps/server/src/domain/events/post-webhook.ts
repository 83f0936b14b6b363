// SPDX-License-Identifier: Apache-2.0
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ServerError } from '../../error.ts';
import { type AllowedAddresses, resolveAllowed } from './safe-address.ts';

const TIMEOUT_MS = 10_000;
const MAX_URL_CHARS = 2048;

export interface WebhookTarget {
  readonly url: string;
  readonly allowed: AllowedAddresses;
  readonly allowHttp: boolean;
}

/**
 * @returns the URL, when webhooks may have such a one: https, no user and password in it
 * @throws {ServerError} 'address_refused'
 */
export function requireWebhookUrl(text: string, allowHttp: boolean): URL {
  const url = URL.canParse(text) && text.length <= MAX_URL_CHARS ? new URL(text) : undefined;
  const isFit = url?.protocol === 'https:' || (allowHttp && url?.protocol === 'http:');
  if (url === undefined || !isFit || url.username !== '' || url.password !== '') {
    const expected = `expected https://…${allowHttp ? ' or http://…' : ''} without user and password`;
    throw new ServerError('address_refused', `webhook: ${expected}`);
  }
  return url;
}

/**
 * Posts a message to the address that was checked, and to no other: the name is not looked up again, and a redirect is an
 * answer like any other that is not 2xx.
 * @returns the status
 * @throws {ServerError} 'address_refused' @throws what the connection throws
 */
export async function postWebhook(
  { url: text, allowed, allowHttp }: WebhookTarget,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<number> {
  const url = requireWebhookUrl(text, allowHttp);
  const { address, family } = await resolveAllowed(url.hostname, allowed);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        agent: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        // A literal address is connected to as it is, without a look-up; it was checked all the same.
        lookup: (_host, options, callback) => {
          if (options.all === true) callback(null, [{ address, family }]);
          else callback(null, address, family);
        },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
      },
      (response) => {
        // What it says is nobody's business here.
        response.destroy();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
