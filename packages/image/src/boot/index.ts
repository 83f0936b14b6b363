// SPDX-License-Identifier: Apache-2.0
/** What an image boots, and its manifest: apart from building, which brings programs and kernel modules along. */
export { type BootDisk, type BootDiskOptions, openBootDisk } from './boot-disk.ts';
export { type BootManifest, type BootManifestRequest, makeBootManifest } from './boot-manifest.ts';
export { keyVariables } from './key-variables.ts';
