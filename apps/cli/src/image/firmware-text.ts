// SPDX-License-Identifier: Apache-2.0
import type {
  CertificatesDescription,
  PemDescription,
  SignatureListsDescription,
  VariableStoreDescription,
} from '@vouchsafe/image';

type FirmwareDescription =
  | VariableStoreDescription
  | SignatureListsDescription
  | CertificatesDescription
  | PemDescription;

/** What belongs to Secure Boot, and keys, for people. */
export function firmwareLines(
  d: FirmwareDescription,
  title: (what: string) => string,
  digest: readonly string[],
): readonly string[] {
  switch (d.kind) {
    case 'variable-store':
      return [
        title(`variable store, ${d.freeBytes} octets free`),
        ...digest,
        ...d.variables.map(
          ({ name, vendor, sizeBytes, sha256 }) => `${vendor} ${name}: ${sizeBytes} octets, sha256 ${sha256}`,
        ),
      ];
    case 'certificates':
      return [
        title(d.certificates.length === 1 ? 'certificate' : `${d.certificates.length} certificates`),
        ...digest,
        ...d.certificates.flatMap(({ subject, issuer, notBeforeMs, notAfterMs, fingerprint }) => [
          `${subject}, issued by ${issuer}`,
          `    from ${new Date(notBeforeMs).toISOString()} to ${new Date(notAfterMs).toISOString()}, sha256 ${fingerprint}`,
        ]),
      ];
    case 'pem':
      return [title(`PEM: ${d.blocks.join(', ')}`), 'what it holds is not shown'];
    default:
      return [
        title(d.kind === 'signed-variable' ? `signed update of ${d.timeText}` : 'signature lists'),
        ...digest,
        ...(d.signedBy ?? []).map((signer) => `carries the certificate of ${signer}`),
        ...d.signatures.map(({ type, owner, subject, value }) => `${type} ${subject ?? value}, owner ${owner}`),
      ];
  }
}
