// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { compressionOf } from '@vouchsafe/disk';
import { celEncodingOf } from '@vouchsafe/eventlog';
import { isAttributeCertificateDer, signedBodyOffset } from './certificate-kind.ts';
import { Head } from './head.ts';
import { peekCompressed } from './peek.ts';

/** What a file can be. Those that only have a name are not looked into. */
export type ArtefactKind =
  | 'disk' // with a GUID partition table
  | 'pe' // a UKI, an addon, a stub or another program for UEFI
  | 'erofs'
  | 'fat'
  | 'squashfs'
  | 'ext4'
  | 'btrfs'
  | 'xfs'
  | 'luks'
  | 'swap'
  | 'verity-hash' // a superblock and a tree
  | 'verity-signature' // the JSON of a verity-sig partition
  | 'initrd' // cpio archives, compressed or not
  | 'compressed' // something compressed that is no cpio archive inside
  | 'variable-store' // of UEFI firmware
  | 'signature-lists' // .esl
  | 'signed-variable' // .auth
  | 'certificates' // in PEM or DER, or as a TPM keeps them in NV
  | 'platform-certificate' // an attribute certificate: what a machine is made of
  | 'pem' // keys and the like; nothing of them is shown
  | 'manifest' // of this product, signed or not
  | 'event-log' // of the firmware
  | 'ima-log'
  | 'userspace-log' // of systemd
  | 'canonical-log' // CEL, in any of its encodings
  | 'launch-log' // of a dynamic launch, in TXT's container
  | 'empty' // nothing but zeros at the beginning
  | 'unknown';

type Test = (head: Head) => boolean;

/** Linux, include/uapi/linux/magic.h, and each format's own specification. The first that holds counts. */
const TESTS: readonly (readonly [kind: ArtefactKind, test: Test])[] = [
  ['disk', isDisk],
  ['luks', (head) => head.has(0, Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe))],
  ['pe', isPeFile],
  ['verity-hash', (head) => head.has(0, 'verity\0\0')],
  ['erofs', (head) => head.has(1024, Uint8Array.of(0xe2, 0xe1, 0xf5, 0xe0))],
  ['squashfs', (head) => head.has(0, 'hsqs')],
  ['xfs', (head) => head.has(0, 'XFSB')],
  ['ext4', (head) => head.has(1080, Uint8Array.of(0x53, 0xef)) && !head.has(510, Uint8Array.of(0x55, 0xaa))],
  ['btrfs', (head) => head.has(65600, '_BHRfS_M')],
  ['swap', (head) => head.has(4086, 'SWAPSPACE2')],
  ['variable-store', (head) => head.has(40, '_FVH')],
  ['initrd', isInitrd],
  ['compressed', (head) => compressionOf(head.source) !== undefined],
  ['fat', isFat],
  ['signed-variable', isSignedVariable],
  ['signature-lists', isSignatureLists],
  ['event-log', isEventLog],
  ['ima-log', isImaLog],
  ['userspace-log', (head) => head.has(0, Uint8Array.of(RECORD_SEPARATOR, 0x7b))],
  ['launch-log', (head) => head.has(0, 'TXT Event Container\0')],
  ['certificates', (head) => isPem(head, /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/) || isCertificate(head)],
  [
    'platform-certificate',
    (head) => isPem(head, /-----BEGIN ATTRIBUTE CERTIFICATE-----/) || isAttributeCertificate(head),
  ],
  ['pem', (head) => isPem(head, /-----BEGIN [A-Z0-9 ]+-----/)],
  [
    'verity-signature',
    (head) => /^\s*\{/.test(head.text) && head.text.includes('"rootHash"') && head.text.includes('"signature"'),
  ],
  ['manifest', (head) => /^\s*\{/.test(head.text) && isManifestText(head.text)],
  ['canonical-log', isCanonicalLog],
  ['empty', (head) => head.bytes.every((octet) => octet === 0)],
];

/** What a file is, by its content alone. A few octets are read; the rest may be anything. @throws {BytesError} */
export function recogniseArtefact(source: ByteSource): ArtefactKind {
  const head = new Head(source);
  return TESTS.find(([, test]) => test(head))?.[0] ?? 'unknown';
}

/** Linux, Documentation/driver-api/early-userspace/buffer-format.rst: an archive, or one that is compressed. */
function isInitrd(head: Head): boolean {
  if (head.has(0, '070701') || head.has(0, '070702')) return true;
  const compression = compressionOf(head.source);
  const inside = compression && peekCompressed(head.source, compression);
  return inside !== undefined && bytesEqual(inside.subarray(0, 5), ascii('07070'));
}

/** UEFI 2.10, section 5.3.2: the header is in the second block, and a copy in the last. */
function isDisk(head: Head): boolean {
  const { size } = head.source;
  const last = (sector: number): number => (Math.floor(size / sector) - 1) * sector;
  return [512, 4096, last(512), last(4096)].some((offset) => offset >= 512 && head.has(offset, 'EFI PART'));
}

/** Also a program for DOS begins so; the offset at 60 leads to the signature of the other. */
function isPeFile(head: Head): boolean {
  if (!head.has(0, 'MZ') || head.bytes.length < 64) return false;
  return head.has(head.view().getUint32(60, true), 'PE\0\0');
}

/** Microsoft FAT 1.03: a jump, sectors of a sane size, and the signature; a boot sector alone has the same. */
function isFat(head: Head): boolean {
  const { bytes } = head;
  if (!head.has(510, Uint8Array.of(0x55, 0xaa)) || (bytes[0] !== 0xeb && bytes[0] !== 0xe9)) return false;
  const sectorSize = head.view().getUint16(11, true);
  const fats = bytes[16] ?? 0;
  return [512, 1024, 2048, 4096].includes(sectorSize) && fats >= 1 && fats <= 2 && bytes[13] !== 0;
}

/** UEFI 2.10, section 8.2.2: EFI_TIME, then a WIN_CERTIFICATE_UEFI_GUID of PKCS #7. */
function isSignedVariable(head: Head): boolean {
  return head.bytes.length > 40 && head.has(20, Uint8Array.of(0x00, 0x02, 0xf1, 0x0e)) && head.has(24, PKCS7_GUID);
}

const PKCS7_GUID = Uint8Array.of(
  0x9d,
  0xd2,
  0xaf,
  0x4a,
  0xdf,
  0x68,
  0xee,
  0x49,
  0x8a,
  0xa9,
  0x34,
  0x7d,
  0x37,
  0x56,
  0x65,
  0xa7,
);
/** The first octets of EFI_CERT_X509_GUID and EFI_CERT_SHA256_GUID. UEFI 2.10, section 32.4.1. */
const LIST_TYPES = [
  Uint8Array.of(0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94),
  Uint8Array.of(0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50),
];

function isSignatureLists(head: Head): boolean {
  if (head.bytes.length < 28 || !LIST_TYPES.some((type) => head.has(0, type))) return false;
  const listBytes = head.view().getUint32(16, true);
  return listBytes >= 28 && listBytes <= head.source.size;
}

/** TCG PC Client Platform Firmware Profile, section 10.4.5.1: an EV_NO_ACTION in PCR 0 with a digest of zeros. */
function isEventLog(head: Head): boolean {
  if (head.bytes.length < 32) return false;
  if (head.has(32, 'Spec ID Event') || head.has(32, 'StartupLocality')) return true;
  // Without a header, as SHA-1 logs may be: a PCR, a type of the specification's ranges, and an event that fits.
  const view = head.view();
  const [pcr, type, size] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(28, true)];
  const isType = type <= 0x12 || (type >= 0x80000001 && type <= 0x80000010) || type === 0x800000e0;
  return pcr <= 7 && type > 0 && isType && size > 0 && 32 + size <= head.source.size && pcr !== IMA_PCR;
}

const IMA_PCR = 10;

/** Linux, security/integrity/ima/ima_fs.c: PCR 10, a digest, the length and the name of a template. */
function isImaLog(head: Head): boolean {
  if (head.bytes.length < 32 || head.view().getUint32(0, true) !== IMA_PCR) return false;
  const nameBytes = head.view().getUint32(24, true);
  return nameBytes <= 16 && /^ima(-[a-z0-9]+)?$/.test(head.text.slice(28, 28 + nameBytes));
}

/** RFC 7464, section 2.2: before each record. */
const RECORD_SEPARATOR = 0x1e;

/** TCG Canonical Event Log Format 1.0: records of numbers, registers and digests. What is JSON must say so by its names. */
function isCanonicalLog({ bytes, text }: Head): boolean {
  switch (celEncodingOf(bytes)) {
    case 'tlv':
      return true;
    case 'json':
      return text.includes('"recnum"') && text.includes('"digests"');
    case 'cbor':
      // The first record's map begins with recnum, key 0.
      return bytes[bytes.indexOf(0xa5) + 1] === 0;
    case undefined:
      return false;
  }
}

/** RFC 7468: text, and then a block; quotes and the like carry certificates among octets that are no text. */
function isPem(head: Head, label: RegExp): boolean {
  const at = head.text.search(label);
  return at >= 0 && /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(head.text.slice(0, at));
}

/** In DER; or with the header of TPM 1.2's profile, which makers still write into NV: TCG_TAG_PCCLIENT_STORED_CERT. */
function isCertificate(head: Head): boolean {
  if (head.has(0, Uint8Array.of(0x10, 0x01)) && head.has(5, Uint8Array.of(0x10, 0x02, 0x30, 0x82))) return true;
  return signedBody(head) !== undefined && !isAttributeCertificateDer(head.bytes);
}

function isAttributeCertificate(head: Head): boolean {
  return signedBody(head) !== undefined && isAttributeCertificateDer(head.bytes);
}

/**
 * Where the contents begin of the SEQUENCE in a SEQUENCE that is the whole file; or the beginning of a small one, as an index of
 * NV is larger than the certificate in it, and filled with anything.
 */
function signedBody({ bytes, source }: Head): number | undefined {
  const body = signedBodyOffset(bytes);
  if (body === undefined) return undefined;
  const end = 4 + (((bytes[2] as number) << 8) | (bytes[3] as number));
  return end === source.size || (end < source.size && source.size <= bytes.length) ? body : undefined;
}

function isManifestText(text: string): boolean {
  return text.includes('application/vnd.vouchsafe.manifest+json') || text.includes('"vouchsafe-manifest"');
}
