// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type ImageErrorCode =
  | 'elf_malformed' // a program, library or module that is not the ELF file it should be
  | 'module_missing' // a kernel module that is neither built in nor among the files
  | 'library_missing'; // a shared library that a program needs and no folder has

export class ImageError extends VouchsafeError<ImageErrorCode> {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
