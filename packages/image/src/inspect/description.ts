// SPDX-License-Identifier: Apache-2.0
import type { Compression, GptFinding, PartitionAttribute, SwapHeader, UnreadCompression } from '@vouchsafe/disk';
import type { Component, PlatformProperty, TpmDescription } from '@vouchsafe/identity';
import type { Manifest } from '@vouchsafe/manifest';
import type { UkiDescription } from '@vouchsafe/pe';
import type { ArtefactKind } from './recognise.ts';

/** What every description begins with. */
export interface ArtefactHead {
  readonly kind: ArtefactKind;
  readonly label: string;
  readonly sizeBytes: number;
  /** SHA-256 of all of it, in lower-case hexadecimal; left out where it is large and nobody asked. */
  readonly sha256?: string;
}

/** What is in a partition or a volume, or why nothing can be said about it. */
export type Content = ArtefactDescription | { readonly error: { readonly code: string; readonly message: string } };

export interface PartitionDescription {
  /** From 1, as tools count. */
  readonly number: number;
  readonly label: string;
  /** systemd's name, or the UUID where it has none. */
  readonly type: string;
  readonly typeUuid: string;
  readonly uuid: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly attributes: readonly PartitionAttribute[];
  readonly content: Content;
}

/** Partitions that belong together by dm-verity; numbers are those of the partitions. */
export interface VeritySetDescription {
  /** That the tree has at its top. */
  readonly rootHash: string;
  readonly hash: number;
  /** The one whose UUID is the beginning of the root hash. */
  readonly data?: number;
  /** The one that names the root hash. */
  readonly signature?: number;
}

export interface DiskDescription extends ArtefactHead {
  readonly kind: 'disk';
  readonly sectorSize: number;
  readonly diskUuid: string;
  readonly partitions: readonly PartitionDescription[];
  readonly verity: readonly VeritySetDescription[];
  readonly findings: readonly GptFinding[];
}

export interface PeDescription extends ArtefactHead {
  readonly kind: 'pe';
  readonly pe: UkiDescription;
  /** SHA-256, in lower-case hexadecimal; with the digests alone. */
  readonly authenticode?: { readonly measuredByFirmware: string; readonly coveredBySignature: string };
}

export interface ErofsDescription extends ArtefactHead {
  readonly kind: 'erofs';
  readonly uuid: string;
  readonly volumeLabel: string;
  readonly blockBytes: number;
  /** Of the image; what it is in may be larger. */
  readonly imageBytes: number;
  readonly inodeCount: number;
  readonly timestampSeconds: number;
  readonly features: readonly string[];
  /** The fields of its os-release. */
  readonly osRelease?: Readonly<Record<string, string>>;
  /** Of each extension-release, by its path. */
  readonly extensionReleases?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface VolumeFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** What it is, where something is told of it: the programs. */
  readonly content?: Content;
}

export interface FatDescription extends ArtefactHead {
  readonly kind: 'fat';
  readonly format: string;
  readonly volumeLabel: string | undefined;
  /** 8 hexadecimal digits. */
  readonly volumeId: string | undefined;
  readonly files: readonly VolumeFile[];
  /** Files that are not listed. */
  readonly furtherFiles: number;
}

export interface VerityHashDescription extends ArtefactHead {
  readonly kind: 'verity-hash';
  readonly uuid: string | undefined;
  readonly hashType: number;
  readonly algorithm: string;
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  readonly dataBlocks: number;
  readonly salt: string;
  /** That the top of the tree has; left out where the only block is not here. */
  readonly rootHash?: string;
}

export interface VeritySignatureDescription extends ArtefactHead {
  readonly kind: 'verity-signature';
  readonly rootHash: string;
  readonly certificateFingerprint: string | undefined;
  readonly signatureBytes: number;
}

/** A run of archives, or of something compressed that lasts to the end. */
export interface InitrdSegment {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly compression: Compression | UnreadCompression | undefined;
  /** Members and their octets, of what is not compressed. */
  readonly members?: number;
  readonly contentBytes?: number;
}

export interface InitrdDescription extends ArtefactHead {
  readonly kind: 'initrd';
  readonly segments: readonly InitrdSegment[];
}

export interface CompressedDescription extends ArtefactHead {
  readonly kind: 'compressed';
  readonly compression: Compression | UnreadCompression;
}

export interface ListedSignature {
  readonly type: string;
  readonly owner: string;
  /** Of a certificate: its subject and SHA-256; of a digest: itself. */
  readonly subject?: string;
  readonly value: string;
}

export interface SignatureListsDescription extends ArtefactHead {
  readonly kind: 'signature-lists' | 'signed-variable';
  /** Who signed, by the certificates in the signature; of a signed update. */
  readonly signedBy?: readonly string[];
  readonly timeText?: string;
  readonly signatures: readonly ListedSignature[];
}

export interface VariableStoreDescription extends ArtefactHead {
  readonly kind: 'variable-store';
  readonly variables: readonly {
    readonly name: string;
    readonly vendor: string;
    readonly attributes: number;
    readonly sizeBytes: number;
    readonly sha256: string;
  }[];
  readonly freeBytes: number;
}

export interface DescribedCertificate {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the DER. */
  readonly fingerprint: string;
  /** Of the certificate of an endorsement key: the TPM that it is in. */
  readonly tpm?: TpmDescription;
}

export interface CertificatesDescription extends ArtefactHead {
  readonly kind: 'certificates';
  readonly certificates: readonly DescribedCertificate[];
}

/** What the maker of a machine says of it; who signed is not looked at here. */
export interface PlatformCertificateDescription extends ArtefactHead {
  readonly kind: 'platform-certificate';
  readonly certificate: {
    readonly type: 'base' | 'delta';
    readonly issuer: string;
    readonly serialNumber: string;
    readonly notBeforeMs: number;
    readonly notAfterMs: number;
    readonly manufacturer: string | undefined;
    readonly model: string | undefined;
    readonly version: string | undefined;
    readonly serial: string | undefined;
    /** Of the certificate of the TPM's endorsement key. */
    readonly holderSerialNumber: string | undefined;
    readonly components: readonly Component[];
    readonly properties: readonly PlatformProperty[];
  };
}

export interface PemDescription extends ArtefactHead {
  readonly kind: 'pem';
  /** The words behind BEGIN. */
  readonly blocks: readonly string[];
}

export interface ManifestDescription extends ArtefactHead {
  readonly kind: 'manifest';
  /** In an envelope; who signed is not looked at here. */
  readonly isSigned: boolean;
  readonly manifest: Manifest;
}

export interface EventLogDescription extends ArtefactHead {
  readonly kind: 'event-log' | 'ima-log' | 'userspace-log' | 'canonical-log' | 'launch-log';
  readonly format: string;
  readonly banks: readonly string[];
  readonly events: number;
  /** What the events lead to, by bank and PCR; not of IMA lists, whose replay is `log replay`'s. */
  readonly pcrs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface SwapDescription extends ArtefactHead {
  readonly kind: 'swap';
  readonly swap: SwapHeader;
}

/** What is known by its name alone. */
export interface NamedDescription extends ArtefactHead {
  readonly kind: 'squashfs' | 'ext4' | 'btrfs' | 'xfs' | 'luks' | 'empty' | 'unknown';
}

export type ArtefactDescription =
  | DiskDescription
  | PeDescription
  | ErofsDescription
  | FatDescription
  | VerityHashDescription
  | VeritySignatureDescription
  | InitrdDescription
  | CompressedDescription
  | SignatureListsDescription
  | VariableStoreDescription
  | CertificatesDescription
  | PlatformCertificateDescription
  | PemDescription
  | ManifestDescription
  | EventLogDescription
  | SwapDescription
  | NamedDescription;
