// SPDX-License-Identifier: Apache-2.0
import { formatPem } from '@vouchsafe/pki';
import { parseBase64url } from '@vouchsafe/protocol';
import { formatTss2PrivateKey } from '../tpm/tss2-private-key.ts';
import type { AgentState } from './agent-state.ts';
import type { StateFolder } from './state-folder.ts';

/**
 * For OpenSSL 3 with the provider of the package tpm2-openssl. The default provider does the bulk of the work; a key in the
 * TPM is used there, and the provider must be preferred for that. Random numbers and digests by the TPM would cost
 * milliseconds each, and room that a TPM without a resource manager does not have.
 */
const OPENSSL_CONF = `# Written by the agent of vouchsafe: OPENSSL_CONF=/this/file curl --cert client.crt --key client.key …
openssl_conf = openssl_init

[openssl_init]
providers = providers
alg_section = algorithms

[algorithms]
default_properties = ?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes,tpm2.rand!=yes

[providers]
default = default_provider
tpm2 = tpm2_provider

[default_provider]
activate = 1

[tpm2_provider]
activate = 1
`;

/**
 * Writes what other programs use, where it is not so already: the client certificate and its issuers, the key as a reference
 * into the TPM, the pinned authority of the service, the attestation key's certificates, and a configuration of OpenSSL. What
 * came of an enrolment that is left goes.
 */
export function writeClientFiles(folder: StateFolder, { keys, server, enrolment, certificate }: AgentState): void {
  const isEnrolled = enrolment.state === 'enrolled';
  const files: Readonly<Record<string, string | undefined>> = {
    'attestation.crt': isEnrolled ? chainPem(enrolment.attestationCertificates) : undefined,
    'ca.crt': isEnrolled ? server.caPem : undefined,
    'client.crt': isEnrolled && certificate !== undefined ? chainPem(certificate.chain) : undefined,
    'client.key': isEnrolled ? formatTss2PrivateKey(keys.client) : undefined,
    'openssl.cnf': isEnrolled ? OPENSSL_CONF : undefined,
  };
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) folder.removeFile(name);
    else if (folder.readFile(name) !== text) folder.writeFile(name, text);
  }
}

const chainPem = (chain: readonly string[]): string =>
  chain.map((der) => formatPem('CERTIFICATE', parseBase64url(der))).join('');
