// SPDX-License-Identifier: Apache-2.0
export { allowingCertificate, allowingDigest, type FileDigests } from './authenticode/allowing-entry.ts';
export {
  checkSignatures,
  type SignatureCheck,
  type SignatureCheckOptions,
  type SignatureFindingCode,
  type SignatureResult,
} from './authenticode/check.ts';
export {
  checkSecureBoot,
  type SecureBootCheck,
  type SecureBootDatabases,
  type SecureBootFindingCode,
} from './authenticode/check-secure-boot.ts';
export {
  type AuthenticodeAlgorithm,
  digestCoveredBySignature,
  digestMeasuredByFirmware,
} from './authenticode/digest.ts';
export {
  attachSignature,
  createSignature,
  removeSignatures,
  type SignPeOptions,
  signPe,
  sizeWithSignature,
} from './authenticode/sign.ts';
export { signWrittenPe } from './authenticode/sign-written.ts';
export {
  type AuthenticodeSignature,
  decodeAuthenticode,
  readSignatures,
  type SignatureEntry,
} from './authenticode/signature.ts';
export type { SpcIndirectData } from './authenticode/spc-indirect-data.ts';
export { type BootEntry, formatBootEntry, parseBootEntry } from './bls/boot-entry.ts';
export type { ConfigLine } from './bls/config-lines.ts';
export {
  AUTO_ENROLMENT_NAME,
  ENROLMENT_VARIABLES,
  type EnrolmentKeys,
  type EnrolmentVariable,
  enrolmentFiles,
  enrolmentPath,
} from './bls/enrolment.ts';
export {
  type BootCounter,
  bootCounter,
  countedAfterTry,
  type EntryFileName,
  type EntryState,
  entryState,
  extraFolderOf,
  formatEntryFileName,
  parseEntryFileName,
} from './bls/entry-name.ts';
export {
  checkEsp,
  ENTRIES_TYPE,
  ESP_PATH,
  type EspFindingCode,
  fallbackLoaderPath,
  systemdBootPath,
} from './bls/esp.ts';
export { formatLoaderConf, type LoaderConf, parseLoaderConf } from './bls/loader-conf.ts';
export {
  type AuthenticatedVariable,
  decodeAuthenticatedVariable,
  type SignVariableOptions,
  signVariable,
  type VariableTarget,
  verifyAuthenticatedVariable,
} from './efi/authenticated-variable.ts';
export { type EfiTime, efiTimeOf, encodeEfiTime } from './efi/efi-time.ts';
export {
  EDK2_SECURE_BOOT_ENABLE,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  KEY_VARIABLE_ATTRIBUTES,
  SIGNATURE_TYPES,
  type SignatureTypeName,
  VARIABLE_ATTRIBUTE,
} from './efi/guids.ts';
export { joinSignatureLists } from './efi/join-signature-lists.ts';
export {
  certificateLists,
  decodeSignatureLists,
  type EfiSignature,
  type EfiSignatureList,
  encodeSignatureLists,
} from './efi/signature-list.ts';
export { decodeSignatureUpdate, type SignatureUpdate } from './efi/signature-update.ts';
export {
  decodeVariableStore,
  liveVariables,
  type StoredVariable,
  type VariableRecord,
  type VariableStore,
} from './efi/variable-store.ts';
export { enrolSecureBoot, type SecureBootKeys, writeVariables } from './efi/write-variables.ts';
export { PeError, type PeErrorCode, type PeErrorPlace } from './error.ts';
export type { ImageFileHeader, Machine } from './format/coff-header.ts';
export type { ImageDataDirectory } from './format/data-directory.ts';
export { type ImageOptionalHeader, NX_COMPAT } from './format/optional-header.ts';
export { type ImageSectionHeader, SECTION_FLAG } from './format/section-header.ts';
export { MAX_STORE_BYTES } from './limits.ts';
export { type CertificateEntry, readCertificateTable } from './read/certificate-table.ts';
export { checkLayout, type LayoutFindingCode } from './read/check-layout.ts';
export { longSectionName } from './read/long-name.ts';
export { isPe, openPe, type PeFile } from './read/pe-file.ts';
export { findSection, readSmallSection, sectionSource } from './read/section-data.ts';
export { type AppendLayout, layOutAppended, type NewSection, type PlacedSection } from './uki/append-layout.ts';
export { type AppendOptions, appendSections } from './uki/append-sections.ts';
export { buildUki, type UkiContents, ukiSections } from './uki/build.ts';
export { checkUki, checkUkiFile, type UkiContext } from './uki/check.ts';
export { type CommandLineFindingCode, checkCommandLine } from './uki/command-line-risks.ts';
export { type DescribeOptions, describeUki, type SbatLevelDescription, type UkiDescription } from './uki/describe.ts';
export type { SectionDescription } from './uki/describe-section.ts';
export type { CertificateDescription, SignatureDescription, SignerDescription } from './uki/describe-signature.ts';
export { efiFirmwareSection } from './uki/efi-firmware.ts';
export { encodeHwids, type HwidDevice, parseHwidDevice } from './uki/hwids.ts';
export { joinInitrds } from './uki/initrd.ts';
export { type KernelParameter, parseKernelCommandLine } from './uki/kernel-command-line.ts';
export { kernelVersionOf } from './uki/kernel-version.ts';
export {
  isPcrSignatureBy,
  type PcrPublicKey,
  type PcrSignature,
  parsePcrPublicKey,
  parsePcrSignatures,
} from './uki/pcr-signature.ts';
export { type ProfileSections, profileField, sectionsByProfile } from './uki/profiles.ts';
export { ADDON_SBAT, mergeSbat, readSbat, UKI_SBAT } from './uki/sbat.ts';
export {
  checkSbat,
  parseSbatLevel,
  type SbatFindingCode,
  type SbatLevel,
} from './uki/sbat-level.ts';
export { parseSbat, type SbatComponent } from './uki/sbat-text.ts';
export { UKI_SECTION_ORDER, type UkiSectionName } from './uki/section-names.ts';
export { readShimSbatLevels, type ShimSbatLevels } from './uki/shim-sbat-levels.ts';
export { type StubVersion, stubVersionOf } from './uki/stub-version.ts';
export type { UkiFinding, UkiFindingCode } from './uki/uki-finding.ts';
export { checksumOf, PeChecksum } from './write/checksum.ts';
