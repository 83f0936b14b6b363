// SPDX-License-Identifier: Apache-2.0
import { ascii, toHex } from '@vouchsafe/base';
import type { DigestAlgorithm, KeyAlgorithm, SignatureScheme } from '@vouchsafe/crypto';
import { encodeDigestAlgorithm } from '../algorithm.ts';
import { encodeOctetString, encodeSequence } from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { importKey } from '../public-key.ts';
import type { DigestSigner, Signer } from '../signer.ts';
import { decodeCertificates } from '../x509/certificate-file.ts';
import { CURVE_HASHES } from './curve-hashes.ts';
import { readSmallFile } from './read-small-file.ts';
import { runFilter } from './run-filter.ts';

/**
 * What the command gets on standard input: the digest's octets; the digest in lower-case hexadecimal and a line feed; or
 * the DER of DigestInfo (RFC 8017, 9.2), which PKCS #11 calls for with CKM_RSA_PKCS.
 */
export type CommandSignerStdin = 'digest' | 'hex' | 'digest-info';

export interface CommandSignerOptions {
  /** Program and arguments; no shell takes part. */
  readonly command: readonly string[];
  /** PEM or DER; the first certificate is the signer's, and says what kind of key it is. */
  readonly certificatePath: string;
  /** 'digest' when left out. */
  readonly stdin?: CommandSignerStdin;
  /** For each signature, a person typing a PIN included; two minutes when left out. */
  readonly timeoutMs?: number;
  /** For RSA; SHA-256 when left out. The other keys go with the digest of their own strength. */
  readonly hash?: DigestAlgorithm;
}

const DEFAULT_TIMEOUT_MS = 120_000;
/** RSA of 16,384 bits signs with 2048 octets. */
const MAX_SIGNATURE_BYTES = 8192;

/**
 * A signer whose key another program has: a smart card's, a TPM's, a cloud's. The protocol: for each signature the
 * command is run once, gets what is to be signed on standard input, and writes the signature and nothing else to standard
 * output: for RSA as many octets as the modulus has (RSASSA-PKCS1-v1_5), for ECDSA the DER of ECDSA-Sig-Value (RFC 3279,
 * 2.2.3). Exit status 0 says that it did. Ed25519 cannot sign a digest, so its command gets the message.
 *
 * The environment has VOUCHSAFE_SIGN_SCHEME ('rsa-pkcs1', 'ecdsa', 'ed25519') and, except for Ed25519,
 * VOUCHSAFE_SIGN_HASH ('sha256'). Every signature is checked with the certificate's key before it is used.
 * @throws {PkiError} 'io', 'argument_invalid', 'unsupported', 'key_invalid', as decodeCertificates does; and when it signs
 * 'command_failed', 'command_timeout', 'command_output'.
 */
export async function openCommandSigner(options: CommandSignerOptions): Promise<Signer> {
  const { command, certificatePath, stdin = 'digest', timeoutMs = DEFAULT_TIMEOUT_MS, hash = 'sha256' } = options;
  if ((command[0] ?? '') === '') throw new PkiError('argument_invalid', 'expected a command that signs, found none');
  if (command.some((word) => word.includes('\0'))) {
    throw new PkiError('argument_invalid', 'expected a command without NUL, which no program can be given');
  }
  const [certificate] = decodeCertificates(await readSmallFile(certificatePath));
  if (certificate === undefined) throw new PkiError('pem_malformed', `${certificatePath}: expected a certificate`);
  const { bytes: spki } = certificate.publicKey;
  const scheme = schemeOfKey(importKey(spki).algorithm, hash);
  const run = (input: Uint8Array): Promise<Uint8Array> =>
    runFilter({
      command,
      stdin: input,
      environment: environmentFor(scheme),
      timeoutMs,
      maxOutputBytes: MAX_SIGNATURE_BYTES,
    });
  if (scheme.kind === 'ed25519') {
    if (stdin !== 'digest') {
      throw new PkiError('argument_invalid', `expected no other input than the message for Ed25519, found '${stdin}'`);
    }
    return { spki, certificate, input: 'message', scheme, signMessage: run };
  }
  if (stdin === 'digest-info' && scheme.kind !== 'rsa-pkcs1') {
    throw new PkiError('argument_invalid', `expected an RSA key for digest-info, found one for ${scheme.kind}`);
  }
  const signer: DigestSigner = {
    spki,
    certificate,
    input: 'digest',
    scheme,
    signDigest: (digest) => run(encodeInput(stdin, scheme.hash, digest)),
  };
  return signer;
}

function schemeOfKey(
  algorithm: KeyAlgorithm,
  hash: DigestAlgorithm,
): Extract<SignatureScheme, { kind: 'rsa-pkcs1' | 'ecdsa' | 'ed25519' }> {
  switch (algorithm.kind) {
    case 'rsa':
      return { kind: 'rsa-pkcs1', hash };
    case 'ec':
      return { kind: 'ecdsa', hash: CURVE_HASHES[algorithm.curve], encoding: 'der' };
    case 'ed25519':
      return { kind: 'ed25519' };
  }
}

function environmentFor(scheme: SignatureScheme): Record<string, string> {
  const hash = scheme.kind === 'ed25519' ? {} : { VOUCHSAFE_SIGN_HASH: scheme.hash };
  return { VOUCHSAFE_SIGN_SCHEME: scheme.kind, ...hash };
}

function encodeInput(stdin: CommandSignerStdin, hash: DigestAlgorithm, digest: Uint8Array): Uint8Array {
  switch (stdin) {
    case 'digest':
      return digest;
    case 'hex':
      return ascii(`${toHex(digest)}\n`);
    case 'digest-info':
      return encodeSequence(encodeDigestAlgorithm(hash), encodeOctetString(digest));
  }
}
