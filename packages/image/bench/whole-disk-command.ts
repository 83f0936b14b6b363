// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import { architecturePartitionType } from '@vouchsafe/disk';
import { writeDdi } from '@vouchsafe/image';

/** What the benchmark starts as a process: ROOT OUTPUT. */
const [root = '', output = ''] = process.argv.slice(2);

async function writeDisk(): Promise<void> {
  using source = FileSource.open(root);
  await writeDdi({
    partitions: [
      {
        name: 'root',
        typeUuid: architecturePartitionType('root', 'x86-64'),
        verity: { role: 'data', matchKey: 'root' },
        content: { kind: 'blocks', source },
      },
      {
        name: 'hash',
        typeUuid: architecturePartitionType('root-verity', 'x86-64'),
        verity: { role: 'hash', matchKey: 'root' },
      },
    ],
    seedUuid: '48c56959-5579-5709-85af-f5393936a4d8',
    timestampSeconds: 1700000000,
    path: output,
    force: true,
  });
}

writeDisk().catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
