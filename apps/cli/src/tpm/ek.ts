// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { buildTrustStore, checkEndorsementKey, type TpmDescription, tpmOf } from '@vouchsafe/identity';
import {
  type Certificate,
  decodeCertificate,
  decodeCertificates,
  fingerprintOf,
  formatCertificate,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { createEk, type EkCertificate, flush, readEkStore } from '@vouchsafe/tpm';
import { EXIT } from '../exit-code.ts';
import { openSmallOutput } from '../outputs.ts';
import { collect, readSmallFile } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { type TpmPlace, tpmOption, withTpm } from './open-tpm.ts';

interface EkOptions {
  readonly tpm: TpmPlace;
  readonly trust?: readonly string[];
  readonly output?: string;
  readonly acceptExpired?: true;
  readonly force?: true;
}

export const ek: Verb = {
  define(command, session) {
    command
      .description(
        "Shows the endorsement keys' certificates that the TPM's maker put into it; with --trust says whether they are genuine.",
      )
      .addOption(tpmOption())
      .option('--trust <file>', 'certificates of TPM makers, PEM; may be repeated', collect<string>)
      .option('--accept-expired', 'hardware outlives its certificate: take an expired one')
      .option('-o, --output <file>', 'where the certificates and those of their issuers go, PEM')
      .option('--force', 'replace a file that exists')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExit status 1: with --trust, no certificate is genuine.\n\nExample:\n  vouchsafe tpm ek --trust tpm-makers.pem',
      )
      .action((options: EkOptions) => run(session, options));
  },
};

interface Shown {
  readonly template: string;
  readonly certificate: Certificate;
  readonly tpm: TpmDescription;
  readonly isGenuine?: boolean;
  readonly findings: readonly { readonly code: string; readonly severity: string; readonly hint: string }[];
}

async function run(session: Session, options: EkOptions): Promise<void> {
  using output =
    options.output === undefined
      ? undefined
      : openSmallOutput(session, options.output, { option: '--output', force: options.force });
  const trusted = options.trust?.flatMap((path) => decodeCertificates(readSmallFile(path), VENDOR_DER));
  const { shown, chain } = await withTpm(options.tpm, async (tpm) => {
    const store = await readEkStore(tpm);
    const issuers = store.chain.map((der) => decodeCertificate(der, VENDOR_DER));
    for (const index of store.unreadable) session.note(`NV index 0x${index.toString(16)} holds no certificate`);
    const found: Shown[] = [];
    for (const entry of store.certificates) found.push(await check(entry, issuers, trusted, options));
    return { shown: found, chain: issuers };

    async function check(
      { template, certificate: der }: EkCertificate,
      own: readonly Certificate[],
      roots: readonly Certificate[] | undefined,
      { acceptExpired = false }: { readonly acceptExpired?: boolean },
    ): Promise<Shown> {
      const certificate = decodeCertificate(der, VENDOR_DER);
      const base = { template: `${template.name} (${template.label})`, certificate, tpm: tpmOf(certificate) };
      if (roots === undefined) return { ...base, findings: [] };
      const key = await createEk(tpm, template);
      await flush(tpm, key);
      const { endorsementKey, findings } = checkEndorsementKey(
        { publicArea: key.area.value, certificate, chain: own },
        { store: buildTrustStore(roots), nowMs: Date.now(), acceptExpired },
      );
      return { ...base, isGenuine: endorsementKey !== undefined, findings };
    }
  });
  output?.commit(utf8([...shown.map(({ certificate }) => certificate), ...chain].map(formatCertificate).join('')));
  if (trusted !== undefined && !shown.some(({ isGenuine }) => isGenuine)) session.exitCode = EXIT.no;
  if (shown.length === 0) {
    session.note('this TPM has no certificate of an endorsement key in NV; some makers give them on their web site');
  }
  session.answer(printable(shown.map(textOf).join('\n\n')), {
    certificates: shown.map(documentOf),
    chain: chain.map(({ subject }) => subject.text),
  });
}

function textOf({ template, certificate, tpm, isGenuine, findings }: Shown): string {
  const maker = tpm.manufacturer;
  return [
    `${template}${isGenuine === undefined ? '' : isGenuine ? ': genuine' : ': NOT genuine'}`,
    `  TPM         ${maker?.name ?? maker?.vendorId ?? 'maker not said'}, ${tpm.model ?? 'model not said'}, ${tpm.version ?? 'version not said'}`,
    `  issuer      ${certificate.issuer.text}`,
    `  valid until ${new Date(certificate.validity.notAfterMs).toISOString().slice(0, 10)}`,
    `  fingerprint ${toHex(fingerprintOf(certificate))}`,
    ...findings.map(({ code, hint }) => `  ${code}: ${hint}`),
  ].join('\n');
}

function documentOf({ template, certificate, tpm, isGenuine, findings }: Shown): object {
  return {
    template,
    tpm,
    issuer: certificate.issuer.text,
    serialNumber: certificate.serialNumber.toString(16),
    notAfter: new Date(certificate.validity.notAfterMs).toISOString(),
    sha256: toHex(fingerprintOf(certificate)),
    ...(isGenuine === undefined ? {} : { isGenuine, findings }),
  };
}
