// SPDX-License-Identifier: Apache-2.0
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { decodeCertificate, formatPem, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import { AgentError } from '../error.ts';
import { unreachable } from './https-transport.ts';

const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Certificates of one chain that are looked at. */
const MAX_CHAIN = 8;

/**
 * The certificate that a join token pins, out of the chain that the service sends. Nothing is said to the service
 * meanwhile; whether its chain leads there is checked by each connection afterwards, with this certificate as the only
 * trusted one.
 * @param caSha256 over its SubjectPublicKeyInfo
 * @returns PEM
 * @throws {AgentError} 'server_unreachable', 'server_untrusted' when it is not in the chain
 */
export async function fetchPinnedCa(url: string, caSha256: string): Promise<string> {
  const chain = await fetchChain(new URL(url));
  const pinned = chain.find((der) => spkiSha256(der) === caSha256);
  if (pinned !== undefined) return formatPem('CERTIFICATE', pinned);
  const message = `${url}: expected a certificate chain with the key ${caSha256} of the token, found another; is this the right service, and is the token its own?`;
  throw new AgentError('server_untrusted', message);
}

/** SHA-256 over the SubjectPublicKeyInfo of a certificate, hexadecimal; undefined for what is no certificate. */
export function spkiSha256(der: Uint8Array): string | undefined {
  try {
    return toHex(digest('sha256', decodeCertificate(der, VENDOR_DER).publicKey.bytes));
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}

function fetchChain({ hostname, port, origin }: URL): Promise<Uint8Array[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    // Unchecked on purpose: nothing is sent, and what comes is only searched for the pinned key.
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(isName(host) ? { servername: host } : {}),
      rejectUnauthorized: false,
      timeout: HANDSHAKE_TIMEOUT_MS,
    });
    socket.once('secureConnect', () => {
      const chain = chainOf(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(chain);
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer in time')));
    socket.once('error', (cause) => reject(unreachable(origin, cause)));
  });
}

/** A host name, and no address: only names go into SNI. RFC 6066, 3. */
const isName = (host: string): boolean => !/^[0-9.]+$|:/.test(host);

function chainOf(leaf: DetailedPeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new Uint8Array(next.raw));
    // The last one names itself.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
