// SPDX-License-Identifier: Apache-2.0
// Makes the files of this folder and of ../fsverity with veritysetup and fsverity; see PROVENANCE.md.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stream } from '../../test/fec-support.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'vouchsafe-testdata-'));
const common = '--uuid=a60c98d2-ae9b-4865-bfcb-b4e3ace11033';
const trees: [name: string, seed: number, octets: number, args: string][] = [
  ['one-block', 1, 4096, '--salt=-'],
  ['three-levels', 2, 20480, '--data-block-size=512 --hash-block-size=512 --salt=dadada'],
  ['sha1-type-0', 3, 16384, '--data-block-size=512 --hash-block-size=512 --hash=sha1 --format=0 --salt=dadada'],
  ['sha384-padded', 4, 10240, '--data-block-size=512 --hash-block-size=1024 --hash=sha384 --salt=00'],
  ['sha512-large-data-blocks', 5, 32768, '--data-block-size=2048 --hash-block-size=512 --hash=sha512 --salt=-'],
  ['no-superblock', 6, 8192, '--data-block-size=1024 --hash-block-size=1024 --no-superblock --salt=0102'],
  ['hash-offset', 7, 8192, '--data-block-size=512 --hash-block-size=1024 --hash-offset=1536 --salt=0102'],
  ['data-blocks', 8, 8192, '--data-block-size=512 --hash-block-size=512 --data-blocks=9 --salt=0102'],
  ['longest-salt', 9, 2048, `--data-block-size=512 --hash-block-size=512 --salt=${'5a'.repeat(256)}`],
  ['upper-case-name', 10, 2048, '--data-block-size=512 --hash-block-size=512 --hash=SHA256 --salt=-'],
  ['two-levels', 11, 8192, '--data-block-size=512 --hash-block-size=512 --hash=sha512 --salt=dadada'],
];
const rows = ['name\tseed\toctets\targs\troot'];
for (const [name, seed, octets, args] of trees) {
  const [data, hash] = [join(dir, 'data'), join(here, `${name}.hash`)];
  writeFileSync(data, stream(seed, octets));
  rmSync(hash, { force: true });
  const out = execFileSync('veritysetup', ['format', data, hash, common, ...args.split(' ')], { encoding: 'utf8' });
  rows.push([name, seed, octets, args, /Root hash:\s*([0-9a-f]+)/.exec(out)?.[1]].join('\t'));
}
writeFileSync(join(here, 'trees.tsv'), `${rows.join('\n')}\n`);

const files: [seed: number, octets: number, args: string][] = [
  [1, 0, '--hash-alg=sha256'],
  [2, 1, '--hash-alg=sha256'],
  [3, 4096, '--hash-alg=sha512'],
  [4, 4097, '--hash-alg=sha256 --salt=dadada'],
  [5, 100_000, '--hash-alg=sha256 --block-size=1024'],
  [6, 100_000, `--hash-alg=sha512 --block-size=1024 --salt=${'5a'.repeat(32)}`],
];
const digests = ['seed\toctets\targs\tdigest'];
for (const [seed, octets, args] of files) {
  const data = join(dir, 'data');
  writeFileSync(data, stream(seed, octets));
  const more = octets === 100_000 && seed === 5
    ? [`--out-merkle-tree=${join(here, '../fsverity/seed-5.merkle')}`, `--out-descriptor=${join(here, '../fsverity/seed-5.descriptor')}`]
    : [];
  const out = execFileSync('fsverity', ['digest', data, ...args.split(' '), ...more], { encoding: 'utf8' });
  digests.push([seed, octets, args, /:([0-9a-f]+)/.exec(out)?.[1]].join('\t'));
}
writeFileSync(join(here, '../fsverity/digests.tsv'), `${digests.join('\n')}\n`);
rmSync(dir, { recursive: true });
