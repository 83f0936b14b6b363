// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type ImageErrorCode =
  | 'recipe_invalid' // a recipe that says what none can say; the message has file, line and column
  | 'kernel_missing' // no kernel, or more than one, where one is needed
  | 'elf_malformed' // a program, library or module that is not the ELF file it should be
  | 'module_missing' // a kernel module that is neither built in nor among the files
  | 'module_cycle' // kernel modules that need each other, so that none can be loaded first
  | 'path_invalid' // a path or name in an input that leads out of where it may lead, or nowhere
  | 'boot_unknown' // a disk that is booted in a way that is not known
  | 'entry_ambiguous' // several boot entries, and nothing that says which one is started
  | 'no_files' // something that has no files, or whose files are not read here, where files were asked for
  | 'not_selected' // a partition, path or section that is not there, or not only once
  | 'output_not_empty' // a folder with something in it, where an empty one is needed
  | 'extension_invalid' // an extension that no system would take
  | 'packages_malformed' // a database of installed packages that cannot be read
  | 'budget_exceeded' // an image that needs more than its recipe allows
  | 'limit' // more than was allowed
  | 'library_missing'; // a shared library that a program needs and no folder has

export class ImageError extends VouchsafeError<ImageErrorCode> {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
