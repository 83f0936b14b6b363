// SPDX-License-Identifier: Apache-2.0
// What mkfs.erofs does, as a process of its own: node erofs-command.ts FOLDER IMAGE COMPRESSION THREADS
import { OutputFile } from '@vouchsafe/bytes/node';
import { type ErofsCompression, writeErofsImage } from '@vouchsafe/disk';
import { openTree, wasmClusterCompressor, writeErofsWithThreads } from '@vouchsafe/disk/node';

const [folder = '', image = '', compression = 'none', threads = '1'] = process.argv.slice(2);

async function main(): Promise<void> {
  using tree = await openTree(folder, { xattrs: 'ignore' }, 'folder');
  using output = OutputFile.create(image, { force: true });
  const request = {
    tree: tree.entries,
    uuid: '48c56959-5579-5709-85af-f5393936a4d8',
    timestampSeconds: 1_700_000_000,
    compression: compression as ErofsCompression,
  };
  if (threads === '1') writeErofsImage({ ...request, compressor: wasmClusterCompressor() }, output);
  else await writeErofsWithThreads(request, output, 0, { threads: Number(threads) });
  output.commit();
}

void main();
