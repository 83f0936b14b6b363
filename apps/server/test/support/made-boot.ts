// SPDX-License-Identifier: Apache-2.0
// Boots of a machine of the workshop, and the image that boots so.
import { createHash } from 'node:crypto';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u16le, u32le } from '@vouchsafe/codec';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { TCG_EVENT_TYPES, type TcgEventType, uefiVariableData } from '@vouchsafe/eventlog';
import { type ManifestPart, makeManifest, signManifest } from '@vouchsafe/manifest';
import { issueSelfSigned, OID, type Signer } from '@vouchsafe/pki';
import { encodeBase64url } from '@vouchsafe/protocol';
import { TPM_HASH } from '@vouchsafe/tpm';

/** Digests by Node.js itself and not by the code under test. */
export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  );

export interface MadeEvent {
  readonly pcr: number;
  readonly type: TcgEventType;
  readonly data: Uint8Array;
}

export const event = (pcr: number, type: TcgEventType, text: string): MadeEvent => ({ pcr, type, data: utf8(text) });

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

function variable(name: string, value: Uint8Array): MadeEvent {
  const data = encode(uefiVariableData, {
    variableName: name === 'db' || name === 'dbx' ? SECURITY : GLOBAL,
    unicodeNameBytes: BigInt(2 * name.length),
    variableDataLength: BigInt(value.length),
    unicodeName: name,
    variableData: value,
    stray: new Uint8Array(),
  });
  return { pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data };
}

export interface MadeBoot {
  readonly firmware?: string;
  readonly kernel?: string;
  readonly isSecureBootOn?: boolean;
  /** What is measured beside that, before the kernel starts. */
  readonly more?: readonly MadeEvent[];
  /** What userspace measures, and keeps no log of. */
  readonly unlogged?: readonly MadeEvent[];
}

export function bootEvents({
  firmware = 'firmware 1',
  kernel = 'the UKI',
  isSecureBootOn = true,
  more = [],
}: MadeBoot = {}): MadeEvent[] {
  return [
    event(0, 'EV_S_CRTM_VERSION', firmware),
    variable('SecureBoot', Uint8Array.of(isSecureBootOn ? 1 : 0)),
    variable('PK', utf8('the platform key')),
    variable('KEK', utf8('the exchange key')),
    variable('db', utf8('the keys')),
    variable('dbx', utf8('the revocations')),
    event(1, 'EV_EFI_VARIABLE_BOOT', 'BootOrder'),
    event(4, 'EV_EFI_ACTION', 'Calling EFI Application from Boot Option'),
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((pcr): MadeEvent => ({ pcr, type: 'EV_SEPARATOR', data: new Uint8Array(4) })),
    event(5, 'EV_EFI_GPT_EVENT', 'the table'),
    event(4, 'EV_EFI_BOOT_SERVICES_APPLICATION', kernel),
    event(11, 'EV_IPL', '.linux'),
    event(11, 'EV_IPL', `content of ${kernel}`),
    event(9, 'EV_EVENT_TAG', 'the initrd'),
    ...more,
    event(5, 'EV_EFI_ACTION', 'Exit Boot Services Invocation'),
    event(5, 'EV_EFI_ACTION', 'Exit Boot Services Returned with Success'),
  ];
}

/** What the TPM's PCR 0 to 15 hold afterwards, in SHA-256. */
export function pcrsAfter(events: readonly MadeEvent[]): Uint8Array[] {
  const values = Array.from({ length: 16 }, () => new Uint8Array(32));
  for (const { pcr, data } of events)
    values[pcr] = sha256(values[pcr] as Uint8Array, sha256(data)) as Uint8Array<ArrayBuffer>;
  return values;
}

const u32 = (value: number): Uint8Array => encode(u32le, value);
const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32(bytes.length), bytes);

/** A crypto agile log in SHA-256, as firmware writes it. */
export function logOf(events: readonly MadeEvent[]): Uint8Array {
  const header = concatBytes(
    utf8('Spec ID Event03\0'),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(1),
    encode(u16le, TPM_HASH.sha256),
    encode(u16le, 32),
    Uint8Array.of(0),
  );
  const lines = events.map(({ pcr, type, data }) =>
    concatBytes(
      u32(pcr),
      u32(TCG_EVENT_TYPES[type]),
      u32(1),
      encode(u16le, TPM_HASH.sha256),
      sha256(data),
      sized(data),
    ),
  );
  return concatBytes(u32(0), u32(3), new Uint8Array(20), sized(header), ...lines);
}

const IMAGE_PCRS = [4, 5, 7, 9, 11, 12, 13, 14];

/** Who signs manifests, and the certificate that a service trusts for it. */
export async function newManifestSigner(): Promise<{ readonly signer: Signer; readonly certificate: string }> {
  const { privateKey, publicKey } = generateKeyPair('ed25519');
  const scheme = { kind: 'ed25519' } as const;
  const signer: Signer = {
    input: 'message',
    scheme,
    spki: publicKey.spki,
    signMessage: async (message) => signMessage(privateKey, scheme, message),
  };
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: 'manifests of the workshop' }],
      serialNumber: 1n,
      validity: { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2046, 0, 1) },
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
    },
    signer,
  );
  return { signer, certificate: encodeBase64url(certificate.bytes) };
}

/** Words of boot phases, as systemd-pcrphase extends them into PCR 11. */
export const phases = (...words: readonly string[]): MadeEvent[] => words.map((word) => event(11, 'EV_IPL', word));

const predicted = ({ pcr, type, data }: MadeEvent) => ({
  pcr,
  description: String(type),
  origin: { artefact: 'made' },
  digests: new Map([['sha256' as const, sha256(data)]]),
});

/** The signed manifest of an image that boots so, and goes through these phases. */
export async function signedManifest(
  signer: Signer,
  version = '1.4.0',
  boot: MadeBoot = {},
  words: readonly string[] = [],
  parts: readonly ManifestPart[] = [],
): Promise<string> {
  const events = bootEvents(boot)
    .filter(({ pcr }) => IMAGE_PCRS.includes(pcr))
    .map(predicted);
  const manifest = makeManifest({
    ...{ name: 'edge', version, architecture: 'x86-64', artefacts: [], roots: [], banks: ['sha256'], parts },
    boots: [
      {
        condition: { secureBoot: 'on', loader: 'none', profile: 0 },
        covers: IMAGE_PCRS,
        events,
        phases: words.map((_, i) => ({
          phase: words.slice(0, i + 1).join(':'),
          events: phases(...words.slice(0, i + 1)).map(predicted),
        })),
      },
    ],
  });
  return encodeBase64url(await signManifest(manifest, signer));
}
