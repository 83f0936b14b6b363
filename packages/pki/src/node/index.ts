// SPDX-License-Identifier: Apache-2.0
export { type KeyFileOptions, openKeyFileSigner } from './key-file-signer.ts';
