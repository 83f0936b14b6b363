// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Duplex } from 'node:stream';

/** How to reach a server as this machine. */
export interface TpmTlsOptions {
  /** The state folder, with `client.crt`, `client.key` and `openssl.cnf`. */
  readonly folder: string;
  /** PEM file with the authorities that the servers' certificates may come from; the system's where absent. */
  readonly caFile?: string;
  /** What OpenSSL's provider calls the place of the TPM, as `device:/dev/tpmrm0`; its own default where absent. */
  readonly tcti?: string;
}

/** Of what OpenSSL says, so much is kept for the message. */
const MAX_WORDS = 2000;

/**
 * A TLS connection with the client certificate whose key is in the TPM. OpenSSL's own client makes it, in a process of its
 * own: Node.js cannot sign a handshake with a key that it does not hold, and a TLS of our own would be a thing to audit. See
 * docs/decisions/0010-tls-with-a-tpm-key.md.
 */
export function connectWithTpmKey(host: string, port: number, options: TpmTlsOptions): Duplex {
  const { folder, caFile, tcti } = options;
  const file = (name: string): string => join(folder, name);
  const args = [
    ...['s_client', '-quiet', '-connect', `${host.includes(':') ? `[${host}]` : host}:${port}`],
    // The server must be who was asked for, or nothing is sent.
    ...['-verify_return_error', /^[0-9.]+$|:/.test(host) ? '-verify_ip' : '-verify_hostname', host],
    ...(/^[0-9.]+$|:/.test(host) ? ['-noservername'] : ['-servername', host]),
    ...(caFile === undefined ? [] : ['-CAfile', caFile, '-no-CApath', '-no-CAstore']),
    ...['-cert', file('client.crt'), '-cert_chain', file('client.crt'), '-key', file('client.key')],
  ];
  const env = {
    ...process.env,
    OPENSSL_CONF: file('openssl.cnf'),
    ...(tcti === undefined ? {} : { TPM2OPENSSL_TCTI: tcti }),
  };
  const child = spawn('openssl', args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-MAX_WORDS);
  });
  const connection = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _encoding, done) => void child.stdin.write(chunk, done),
    final: (done) => void child.stdin.end(done),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk) => {
    if (!connection.push(chunk)) child.stdout.pause();
  });
  // Its own end is told by 'close'; a pipe that breaks says nothing more.
  child.stdin.on('error', () => {});
  child.once('error', (cause) => connection.destroy(new Error('openssl did not start', { cause })));
  child.once('close', (code) => {
    if (code === 0) connection.push(null);
    else connection.destroy(new Error(words.trim() === '' ? `openssl ended with ${code}` : words.trim()));
  });
  return connection;
}
