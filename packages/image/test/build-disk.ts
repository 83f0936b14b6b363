// SPDX-License-Identifier: Apache-2.0
import { applyTreeRules, architecturePartitionType, clampTimes, type TreeRule } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { writeDdi } from '@vouchsafe/image';

const SEED = '48c56959-5579-5709-85af-f5393936a4d8';
const TIMESTAMP = 1700000000;

/** A whole disk with a verity root, from a folder, a tar archive or an OCI image: INPUT OUTPUT [RULES as JSON]. */
async function buildDisk(input: string, output: string, rules: readonly TreeRule[]): Promise<void> {
  using tree = await openTree(input, { impliedMtimeSeconds: TIMESTAMP });
  const entries = clampTimes(applyTreeRules(tree.entries, rules), TIMESTAMP);
  const { rootHashes } = await writeDdi({
    partitions: [
      {
        name: 'root',
        typeUuid: architecturePartitionType('root', 'x86-64'),
        verity: { role: 'data', matchKey: 'root' },
        content: { kind: 'erofs', tree: entries },
      },
      {
        name: 'hash',
        typeUuid: architecturePartitionType('root-verity', 'x86-64'),
        verity: { role: 'hash', matchKey: 'root' },
      },
    ],
    seedUuid: SEED,
    timestampSeconds: TIMESTAMP,
    path: output,
  });
  const hashes = [...rootHashes.values()].map((hash) => Buffer.from(hash).toString('hex'));
  process.stdout.write(
    `${JSON.stringify({ entries: entries.length, rootHash: hashes[0], uid: process.getuid?.() })}\n`,
  );
}

const [input = '', output = '', rules = '[]'] = process.argv.slice(2);
buildDisk(input, output, JSON.parse(rules)).catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
