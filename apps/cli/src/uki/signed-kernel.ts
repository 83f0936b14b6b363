// SPDX-License-Identifier: Apache-2.0
import { fstatSync } from 'node:fs';
import type { LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { isPe, openPe, readCertificateTable, type SignPeOptions, signPe } from '@vouchsafe/pe';
import { UsageError } from '../usage-error.ts';

/**
 * The kernel with a signature of its own, in a file without a name beside the output; one that is signed already stays as
 * it is, as ukify has it. Whoever has a signed kernel can start it without the rest of the image: only firmware that
 * refuses a stub's word for its kernel is a reason.
 * @throws {UsageError} for a kernel that is no PE file.
 */
export async function signedKernel(
  kernel: ByteSource,
  besidePath: string,
  options: SignPeOptions & LongWork,
  files: DisposableStack,
): Promise<ByteSource> {
  if (!isPe(kernel)) {
    throw new UsageError(`${kernel.label}: --sign-kernel takes a kernel that is a PE file (CONFIG_EFI_STUB)`);
  }
  const pe = openPe(kernel);
  if (readCertificateTable(pe).length > 0) return kernel;
  const draft = files.use(OutputFile.create(`${besidePath}.kernel`, { force: true }));
  await signPe(pe, draft, options);
  const { size } = fstatSync(draft.fd);
  return FileSource.over({ fd: draft.fd, label: kernel.label, size, extents: [{ start: 0, end: size }] });
}
