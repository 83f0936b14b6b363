// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { writeCpio } from '@vouchsafe/disk';
import { appendSections, openPe } from '@vouchsafe/pe';
import { madeProgram } from './made-disk.ts';
import { writeTree } from './support.ts';

const testdata = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const DPKG_STATUS = `Package: tool
Status: install ok installed
Architecture: amd64
Version: 1.0-1
`;

/** Everything that a small image is made of, below a folder: `recipe.yaml` and what it names. It boots nowhere. */
export async function makeRecipeFolder(folder: string, more: readonly string[] = []): Promise<string> {
  writeTree(join(folder, 'root'), {
    'etc/os-release': 'ID=testos\nVERSION_ID=7\n',
    'usr/bin/tool': '#!/bin/sh\n',
    'usr/lib/data': 'data '.repeat(50_000),
    'sbin/init': 'init',
    'var/lib/dpkg/status': DPKG_STATUS,
    'var/lib/dpkg/info/tool.list': '/.\n/usr/bin/tool\n/usr/lib/data\n',
  });
  const program = madeProgram();
  const kernel = new Uint8Array(program.size);
  program.read(0, kernel);
  // MajorImageVersion: a kernel that takes its initrd by the protocol of EFI. PE format, "Optional Header".
  const view = new DataView(kernel.buffer);
  view.setUint16(view.getUint32(0x3c, true) + 24 + 44, 1, true);
  writeTree(folder, { 'kernel/boot/vmlinuz-6.1': kernel });
  writeFileSync(join(folder, 'stub.efi'), await madeStub());
  const initrd = new MemorySink(1 << 20);
  const init = { path: 'init', mode: 0o100755, content: memorySource(utf8('#!/bin/sh\n'), 'init') };
  writeCpio(initrd, [init]);
  writeFileSync(join(folder, 'initrd.cpio'), initrd.bytes());
  makeKeys(join(folder, 'keys'));
  const lines = [
    'name: edge',
    'version: 1.0.0',
    'root: { folder: root }',
    'kernel: { folder: kernel }',
    'initrd: { files: initrd.cpio }',
    'stub: stub.efi',
    'command-line: quiet',
    'keys: keys',
    // A folder of tests belongs to who runs them.
    'rules: [{ paths: "**", set: { uid: 0, gid: 0, mtime: 1 } }]',
    ...more,
    '',
  ];
  writeFileSync(join(folder, 'recipe.yaml'), lines.join('\n'));
  return lines.join('\n');
}

/** A program that says that it is systemd's stub. */
export async function madeStub(): Promise<Uint8Array> {
  const magic = memorySource(utf8('#### LoaderInfo: systemd-stub 252.39-1 ####\0'), '.sdmagic');
  const stub = new MemorySink(1 << 20);
  // Nobody may add it; so it gets its name afterwards.
  await appendSections(openPe(madeProgram()), [{ name: '.renamed', content: magic }], stub);
  const bytes = stub.bytes();
  bytes.set(utf8('.sdmagic'), Buffer.from(bytes).indexOf('.renamed'));
  return bytes;
}

/** As `keys generate` names them; those of tests. */
function makeKeys(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ['db', 'verity', 'pcr']) {
    copyFileSync(testdata('verity/testdata/signature/test-only.key'), join(folder, `${name}.key`));
    copyFileSync(testdata('verity/testdata/signature/test-only.pem'), join(folder, `${name}.crt`));
  }
  writeFileSync(join(folder, 'manifest.key'), readFileSync(testdata('pki/testdata/keys/ed25519.test-only.key')));
}
