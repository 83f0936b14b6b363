// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { encodeBase64url } from '@vouchsafe/protocol';

/** Names of records: nobody guesses one, but nothing depends on it. */
export const newId = (): string => encodeBase64url(randomBytes(16));

/** A token that opens something: 256 bits. Its digest alone is kept. */
export const newToken = (): string => encodeBase64url(randomBytes(32));

export const sha256Of = (bytes: Uint8Array): string => toHex(digest('sha256', bytes));
export const sha256OfText = (text: string): string => sha256Of(utf8(text));
