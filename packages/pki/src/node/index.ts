// SPDX-License-Identifier: Apache-2.0
export { type CommandSignerOptions, type CommandSignerStdin, openCommandSigner } from './command-signer.ts';
export { encryptPrivateKey } from './encrypt-private-key.ts';
export { type KeyFileOptions, openKeyFileSigner } from './key-file-signer.ts';
