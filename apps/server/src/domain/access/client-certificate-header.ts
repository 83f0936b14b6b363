// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, isVouchsafeError } from '@vouchsafe/base';
import { type Certificate, decodeCertificates, parseBase64 } from '@vouchsafe/pki';

/** Characters of a header with a certificate in it at most; ours have some 1,500. */
const MAX_HEADER_CHARS = 16_384;

/**
 * The certificate that a proxy puts into a header: PEM, percent-encoded (nginx's $ssl_client_escaped_cert), or DER in base64
 * (Caddy's {tls_client_certificate_der_base64}). Of a chain it is the first, the caller's own. Undefined for anything else: also
 * for two headers of that name, as one of them may be the caller's.
 */
export function certificateOfHeader(value: string | readonly string[] | undefined): Certificate | undefined {
  if (typeof value !== 'string' || value === '' || value.length > MAX_HEADER_CHARS) return undefined;
  // Node.js joins headers of one name with commas, which neither form has in it.
  if (value.includes(',')) return undefined;
  return value.startsWith('-----BEGIN') ? certificateOfPem(value) : decoded(() => parseBase64(value));
}

/**
 * The certificate of Envoy's x-forwarded-client-cert: of the one element that Envoy itself made, the quoted, percent-encoded
 * PEM after `Cert=`, or the first of the chain after `Chain=`; of both where they agree. Several elements mean that a proxy
 * before it is believed: not done here.
 */
export function certificateOfXfcc(value: string | readonly string[] | undefined): Certificate | undefined {
  if (typeof value !== 'string' || value.length > MAX_HEADER_CHARS) return undefined;
  const found = splitQuoted(value)?.filter(([name]) => name === 'cert' || name === 'chain') ?? [];
  const names = found.map(([name]) => name);
  if (new Set(names).size !== names.length) return undefined;
  const [first, other] = found.map(([, text]) => certificateOfPem(text));
  if (found.length < 2) return first;
  return first !== undefined && other !== undefined && bytesEqual(first.bytes, other.bytes) ? first : undefined;
}

/** `name=value;name="value"` of one element; undefined where a comma outside quotes begins another, or it has no such form. */
function splitQuoted(value: string): (readonly [string, string])[] | undefined {
  const pair = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^";,]*)(;|$)/y;
  const pairs: [string, string][] = [];
  while (pair.lastIndex < value.length) {
    const [, name, text] = pair.exec(value) ?? [];
    if (name === undefined || text === undefined) return undefined;
    pairs.push([name.toLowerCase(), text.replace(/^"|"$/g, '')]);
  }
  return pairs;
}

function certificateOfPem(escaped: string): Certificate | undefined {
  return decoded(() => new TextEncoder().encode(decodeURIComponent(escaped)));
}

/** One certificate, or the first of several when the rest are authorities: two of callers would leave a choice. */
function decoded(read: () => Uint8Array): Certificate | undefined {
  try {
    const [certificate, ...issuers] = decodeCertificates(read());
    const isChain = issuers.every(({ extensions }) => extensions.basicConstraints?.isCa === true);
    return isChain ? certificate : undefined;
  } catch (error) {
    // URIError: percent signs without digits.
    if (isVouchsafeError(error) || error instanceof URIError) return undefined;
    throw error;
  }
}
