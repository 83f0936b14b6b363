// SPDX-License-Identifier: Apache-2.0
import { hostname } from 'node:os';
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { type Certificate, decodeCertificates, PkiError } from '@vouchsafe/pki';
import { ServerError } from '../error.ts';
import type { SettledConfig } from './config.ts';
import { generatedTls, type TlsFiles } from './generated-tls.ts';
import { readOperatorFile } from './state-folder.ts';

/** What the service shows of itself. */
export interface ServiceTls extends TlsFiles {
  /** What machines pin: SHA-256 over the SubjectPublicKeyInfo of the last certificate of the chain, hexadecimal. */
  readonly caSha256: string;
  /** PEM of that certificate. */
  readonly caCertificate: string;
}

/** @throws {ServerError} 'configuration_invalid' */
export async function openTls(config: SettledConfig, nowMs: number): Promise<ServiceTls> {
  const files =
    config.tls === undefined ? await generatedTls(config.stateDir, namesOf(config), nowMs) : await readTls(config.tls);
  const last = lastOf(files.certificate);
  const blocks = files.certificate.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return {
    ...files,
    caSha256: toHex(digest('sha256', last.publicKey.bytes)),
    caCertificate: `${blocks.at(-1) ?? ''}\n`,
  };
}

async function readTls(tls: NonNullable<SettledConfig['tls']>): Promise<TlsFiles> {
  try {
    return { certificate: await readOperatorFile(tls.certificatePath), key: await readOperatorFile(tls.keyPath) };
  } catch (cause) {
    const message = `the TLS certificate and key cannot be read: ${(cause as Error).message}`;
    throw new ServerError('configuration_invalid', message, { cause });
  }
}

function lastOf(pem: string): Certificate {
  let found: Certificate | undefined;
  try {
    found = decodeCertificates(utf8(pem)).at(-1);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new ServerError('configuration_invalid', `the TLS certificate cannot be read: ${cause.message}`, { cause });
  }
  if (found === undefined) throw new ServerError('configuration_invalid', 'the TLS certificate file holds none');
  return found;
}

/** What machines may call the service: where it listens, what it is called, and how it is published. */
function namesOf({ listen, publicUrl }: SettledConfig): string[] {
  const published = publicUrl === undefined ? [] : [new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')];
  const local = isAny(listen.host) ? [hostname(), '127.0.0.1'] : [listen.host];
  return [...new Set([...published, ...local, 'localhost'])];
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';
