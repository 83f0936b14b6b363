// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex, utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { type FileTree, partitionTypeUuid, type TreeEntry } from '@vouchsafe/disk';
import { type DdiPartition, makeUki, type RootHashes, type WrittenDdi, writeDdi } from '@vouchsafe/image';
import { type Certificate, decodeCertificates, type Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';

export const SEED = '48c56959-5579-5709-85af-f5393936a4d8';
export const TIMESTAMP = 1700000000;

const testdata = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A key of the tests, and what it is known by. */
export async function testSigner(): Promise<{ readonly signer: Signer; readonly certificate: Certificate }> {
  const certificatePath = testdata('verity/testdata/signature/test-only.pem');
  const keyPath = testdata('verity/testdata/signature/test-only.key');
  const [certificate] = decodeCertificates(readFileSync(certificatePath));
  return { signer: await openKeyFileSigner({ keyPath, certificatePath }), certificate: certificate as Certificate };
}

/** A certificate of somebody else. */
export function otherCertificate(): Certificate {
  return decodeCertificates(readFileSync(testdata('pe/testdata/signer.pem')))[0] as Certificate;
}

/** A small program for UEFI, unsigned. */
export function madeProgram(): ByteSource {
  return memorySource(readFileSync(testdata('pe/testdata/made.efi')), 'made.efi');
}

export function typeUuid(name: string): string {
  const uuid = partitionTypeUuid(name);
  if (uuid === undefined) throw new Error(`no type ${name}`);
  return uuid;
}

const attributes = { uid: 0, gid: 0, mtimeSeconds: TIMESTAMP } as const;
export const directory = (path: string): TreeEntry => ({ path, kind: 'directory', mode: 0o755, ...attributes });
export const file = (path: string, text: string, mode = 0o644): TreeEntry => {
  return { path, kind: 'file', mode, ...attributes, content: memorySource(utf8(text), path) };
};
export const link = (path: string, target: string): TreeEntry => ({
  path,
  kind: 'symlink',
  mode: 0o777,
  ...attributes,
  target,
});

/** Enough data for a tree of two levels. */
export function rootTree(version = '7'): FileTree {
  return [
    directory(''),
    directory('etc'),
    file('etc/os-release', `ID=testos\nVERSION_ID=${version}\n`),
    file('etc/shadow', 'root:*\n', 0o600),
    link('etc/mtab', '../proc/self/mounts'),
    file('blob', '0123456789abcdef'.repeat(40_000)),
  ];
}

export interface MadeDisk {
  readonly written: WrittenDdi;
  readonly rootHash: Uint8Array;
}

export interface DiskChoice {
  readonly tree?: FileTree;
  /** A root hash for the command line, where it is not to be that of the disk. */
  readonly cmdlineHash?: string;
  readonly isUkiSigned?: boolean;
  readonly growthBytes?: number;
  readonly more?: readonly DdiPartition[];
}

/** The root of a disk with its tree and its signature. */
export function rootPartitions(tree: FileTree, growthBytes = 0): DdiPartition[] {
  const verity = (role: 'data' | 'hash' | 'signature') => ({ role, matchKey: 'root' }) as const;
  const type = (name: string) => typeUuid(`root-x86-64${name}`);
  return [
    { name: 'root', typeUuid: type(''), verity: verity('data'), growthBytes, content: { kind: 'erofs', tree } },
    { name: 'hash', typeUuid: type('-verity'), verity: verity('hash') },
    { name: 'signature', typeUuid: type('-verity-sig'), verity: verity('signature') },
  ];
}

/** A disk that firmware would boot: a UKI that names its root hash, and a root with tree and signature. */
export async function makeDisk(path: string, choice: DiskChoice = {}): Promise<MadeDisk> {
  const { signer } = await testSigner();
  const members = async (rootHashes: RootHashes) => {
    const rootHash = choice.cmdlineHash ?? toHex(rootHashes.get('root') as Uint8Array);
    const contents = {
      linux: madeProgram(),
      cmdline: utf8(`quiet roothash=${rootHash}`),
      osrel: utf8('ID=testos\nVERSION_ID=7\n'),
      uname: utf8('6.1'),
    };
    const uki = await makeUki(madeProgram(), contents, choice.isUkiSigned === false ? undefined : signer);
    return [{ path: 'EFI/BOOT/BOOTX64.EFI', content: memorySource(uki, 'UKI') }];
  };
  const tree = choice.tree ?? rootTree();
  const esp: DdiPartition = {
    name: 'esp',
    typeUuid: typeUuid('esp'),
    maxBytes: 40 * 1024 * 1024,
    content: { kind: 'vfat', members, label: 'ESP' },
  };
  const partitions = [esp, ...rootPartitions(tree, choice.growthBytes), ...(choice.more ?? [])];
  const written = await writeDdi({ partitions, seedUuid: SEED, timestampSeconds: TIMESTAMP, signer, path });
  return { written, rootHash: written.rootHashes.get('root') as Uint8Array };
}

/** Opens a file for a test, which closes it. */
export function opened(t: { after(run: () => void): void }, path: string): FileSource {
  const source = FileSource.open(path);
  t.after(() => source.close());
  return source;
}
