// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError } from '@vouchsafe/base';
import { type Certificate, decodeCertificates, parseBase64 } from '@vouchsafe/pki';

/** Characters of a header with a certificate in it at most; ours have some 1,500. */
const MAX_HEADER_CHARS = 16_384;

/**
 * The certificate that a proxy puts into a header: PEM, percent-encoded (nginx's $ssl_client_escaped_cert), or DER in base64
 * (Caddy's {tls_client_certificate_der_base64}). Undefined for anything else, and for more than one.
 */
export function certificateOfHeader(value: string | readonly string[] | undefined): Certificate | undefined {
  if (typeof value !== 'string' || value === '' || value.length > MAX_HEADER_CHARS) return undefined;
  return value.startsWith('-----BEGIN') ? certificateOfPem(value) : decoded(() => parseBase64(value));
}

/**
 * The certificate of Envoy's x-forwarded-client-cert: of the one element that Envoy itself made, the quoted, percent-encoded
 * PEM after `Cert=`. Several elements mean that a proxy before it is believed: not done here.
 */
export function certificateOfXfcc(value: string | readonly string[] | undefined): Certificate | undefined {
  if (typeof value !== 'string' || value.length > MAX_HEADER_CHARS) return undefined;
  const parts = splitQuoted(value);
  const found = parts?.filter(([name]) => name === 'cert') ?? [];
  const [[, text] = ['', '']] = found;
  return found.length === 1 ? certificateOfPem(text) : undefined;
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

function decoded(read: () => Uint8Array): Certificate | undefined {
  try {
    const [certificate, ...more] = decodeCertificates(read());
    return more.length === 0 ? certificate : undefined;
  } catch (error) {
    // URIError: percent signs without digits.
    if (isVouchsafeError(error) || error instanceof URIError) return undefined;
    throw error;
  }
}
