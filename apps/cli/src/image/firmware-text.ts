// SPDX-License-Identifier: Apache-2.0
import type {
  CertificatesDescription,
  DescribedCertificate,
  PemDescription,
  PlatformCertificateDescription,
  SignatureListsDescription,
  VariableStoreDescription,
} from '@vouchsafe/image';

type FirmwareDescription =
  | VariableStoreDescription
  | SignatureListsDescription
  | CertificatesDescription
  | PlatformCertificateDescription
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
        ...d.certificates.flatMap(certificateLines),
      ];
    case 'platform-certificate':
      return platformLines(d, title, digest);
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

function certificateLines(certificate: DescribedCertificate): string[] {
  const { subject, issuer, fingerprint, tpm } = certificate;
  return [
    `${subject === '' ? '(no subject)' : subject}, issued by ${issuer}`,
    ...(tpm === undefined ? [] : [`    endorsement key of a TPM: ${tpmText(tpm)}`]),
    `    ${periodText(certificate)}, sha256 ${fingerprint}`,
  ];
}

function tpmText({ manufacturer, model, version, specification }: NonNullable<DescribedCertificate['tpm']>): string {
  const parts = [
    manufacturer?.name ?? manufacturer?.vendorId,
    model && `model ${model}`,
    version && `firmware ${version}`,
    specification && `TPM ${specification.family} revision ${(specification.revision / 100).toFixed(2)}`,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

const periodText = ({
  notBeforeMs,
  notAfterMs,
}: {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}): string => `from ${new Date(notBeforeMs).toISOString()} to ${new Date(notAfterMs).toISOString()}`;

function platformLines(
  { certificate: c }: PlatformCertificateDescription,
  title: (what: string) => string,
  digest: readonly string[],
): string[] {
  const name = [c.manufacturer, c.model, c.version].filter((part) => part !== undefined).join(' ');
  return [
    title(c.type === 'base' ? 'platform certificate' : 'platform certificate, a delta'),
    ...digest,
    `${name}${c.serial === undefined ? '' : `, serial number ${c.serial}`}, issued by ${c.issuer}`,
    `    ${periodText(c)}`,
    ...(c.holderSerialNumber === undefined
      ? []
      : [`    for the TPM whose endorsement certificate has the serial number ${c.holderSerialNumber}`]),
    ...c.components.map(({ componentClass, manufacturer, model, serial, status }) =>
      [
        `${status ?? 'component'}${componentClass === undefined ? '' : ` ${componentClass.value}`}: ${manufacturer} ${model}`,
        ...(serial === undefined ? [] : [`serial number ${serial}`]),
      ].join(', '),
    ),
    ...c.properties.map(({ name: property, value }) => `${property}: ${value}`),
  ];
}
