// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { generateKeyPair, randomBytes, signDigest } from '@vouchsafe/crypto/signing';
import {
  buildUki,
  ESP_PATH,
  extraFolderOf,
  findSection,
  formatBootEntry,
  openPe,
  removeSignatures,
  signPe,
} from '@vouchsafe/pe';
import { issueSelfSigned, OID, type Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { LabError } from '../error.ts';
import { STUB } from '../machine/firmware.ts';
import { type DiskEdit, inMemory } from './disk-edit.ts';
import type { TamperCase } from './tamper-case.ts';

const FIRMWARE = { kind: 'refused', by: ['refused_by_firmware'] } as const;

/** What is done to the programs of the ESP, and beside them. */
export const BOOT_CASES = {
  'initrd-byte': {
    summary: 'one bit in the middle of the initrd, in the UKI',
    expected: { on: FIRMWARE },
    change: async (edit) => {
      const section = findSection(edit.uki, '.initrd');
      if (section === undefined)
        throw new LabError('tamper_unfit', `${edit.path}: expected an initrd in the UKI, found none`);
      const at = section.pointerToRawData + (section.sizeOfRawData >> 1);
      await edit.changeUki((uki) => {
        uki[at] = (uki[at] as number) ^ 1;
        return undefined;
      });
    },
  },
  unsigned: {
    summary: 'the UKI without its signature',
    expected: {
      on: FIRMWARE,
      // The digest that is measured leaves signatures out. Authenticode format, "Calculating the PE Image Hash".
      off: {
        kind: 'unnoticed',
        why: 'nothing that runs has changed, and without Secure Boot nobody asks for a signature',
      },
    },
    change: (edit) =>
      edit.changeUki((uki) => inMemory('UKI', (sink) => removeSignatures(openPe(memorySource(uki, 'UKI')), sink))),
  },
  'foreign-key': {
    summary: 'the UKI signed by another key',
    expected: { on: FIRMWARE },
    change: (edit) =>
      edit.changeUki(async (uki) => {
        const bare = await inMemory('UKI', (sink) => removeSignatures(openPe(memorySource(uki, 'UKI')), sink));
        const signer = await foreignSigner();
        return inMemory('UKI', (sink) => signPe(openPe(memorySource(bare, 'UKI')), sink, { signer }));
      }),
  },
  addon: {
    summary: 'an addon that adds to the command line, signed by the db key, beside the UKI',
    needs: ['keys'],
    expected: {
      on: { kind: 'visible', reasons: ['addon_loaded', 'command_line_replaced'] },
      off: { kind: 'visible', reasons: ['addon_loaded', 'command_line_replaced'] },
    },
    before: { stubVersion: 254, expected: { kind: 'unnoticed', why: 'stubs before systemd 254 do not load addons' } },
    change: async (edit, { keys = '', stub = STUB }) => {
      const program = openPe(memorySource(readFileSync(stub), stub));
      const contents = { cmdline: utf8('vouchsafe.addon=1') };
      const bare = await inMemory('addon', (sink) => buildUki(program, contents, sink));
      const signer = await openKeyFileSigner({ keyPath: join(keys, 'db.key'), certificatePath: join(keys, 'db.crt') });
      const addon = await inMemory('addon', (sink) => signPe(openPe(memorySource(bare, 'addon')), sink, { signer }));
      edit.writeFile(besideUki(edit, 'lab.addon.efi'), addon);
    },
  },
  'loader-entry': {
    summary: 'a boot entry that starts the UKI with another command line',
    expected: {
      off: { kind: 'visible', reasons: ['command_line_replaced'] },
    },
    change: (edit) => {
      if (edit.boot.artefacts.loader === undefined) {
        throw new LabError(
          'tamper_unfit',
          `${edit.path}: expected systemd-boot, found a disk whose UKI firmware starts`,
        );
      }
      const entry = {
        title: 'The same, and more',
        // Before any other: systemd-boot takes the first. loader.conf(5).
        sortKey: '0',
        efi: `/${edit.ukiPath}`,
        options: [`${edit.commandLine} vouchsafe.tampered=1`],
      };
      edit.writeFile(`${ESP_PATH.entries.replace(/^\//, '')}/aaa-tampered.conf`, utf8(formatBootEntry(entry)));
    },
  },
  credential: {
    summary: 'a credential beside the UKI',
    expected: {
      on: { kind: 'visible', reasons: ['credentials_added', 'initrd_changed'] },
      off: { kind: 'visible', reasons: ['credentials_added', 'initrd_changed'] },
    },
    change: (edit) => edit.writeFile(besideUki(edit, 'tampered.cred'), utf8('tampered')),
  },
  sysext: {
    summary: 'a system extension beside the UKI: another in place of one that is there, or one more',
    expected: {
      on: { kind: 'visible', reasons: ['extensions_added', 'initrd_changed'] },
      off: { kind: 'visible', reasons: ['extensions_added', 'initrd_changed'] },
    },
    change: (edit) => {
      const folder = besideUki(edit, '');
      const present = edit.files.find((path) => path.startsWith(folder) && path.endsWith('.raw'));
      const path = present ?? `${folder}tampered.raw`;
      const old = present === undefined ? new Uint8Array(4096) : readFile(edit, present);
      edit.writeFile(
        path,
        old.map((octet) => octet ^ 0xff),
      );
    },
  },
  rollback: {
    summary: 'the disk of an earlier version, signed by the same keys',
    needs: ['olderDisk'],
    expected: { on: { kind: 'older' }, off: { kind: 'older' } },
    replace: ({ olderDisk }) => olderDisk,
  },
  'gpt-entry': {
    summary: 'the last entry of the partition table moved to another place in it',
    expected: {
      on: { kind: 'visible', reasons: ['partition_table_changed'] },
      off: { kind: 'visible', reasons: ['partition_table_changed'] },
    },
    change: (edit) =>
      edit.changeTable((table) => {
        const last = table.partitions.at(-1);
        if (last === undefined || last.index + 2 >= table.entryCount) {
          throw new LabError('tamper_unfit', `${edit.path}: expected room in the partition table, found none`);
        }
        // With a gap before it: the table is sound, and nothing that is found by type or name has moved.
        const partitions = [...table.partitions.slice(0, -1), { ...last, index: last.index + 1 }];
        return { ...table, partitions };
      }),
  },
  'late-extend': {
    summary: 'root extends PCR 4 of the running system',
    expected: { on: { kind: 'unlogged', pcr: 4 }, off: { kind: 'unlogged', pcr: 4 } },
    orders: [`tpm2_pcrextend 4:sha256=${'5a'.repeat(32)}`],
  },
} as const satisfies Record<string, TamperCase>;

/** Where systemd's stub looks for what goes with a UKI: systemd-stub(7). */
function besideUki({ ukiPath }: DiskEdit, name: string): string {
  const slash = ukiPath.lastIndexOf('/');
  return `${ukiPath.slice(0, slash)}/${extraFolderOf(ukiPath.slice(slash + 1))}/${name}`;
}

function readFile(edit: DiskEdit, path: string): Uint8Array {
  const source = edit.file(path);
  return readBytes(source, 0, source.size);
}

/** A key that no machine has. */
async function foreignSigner(): Promise<Signer> {
  const { privateKey, publicKey } = generateKeyPair('rsa-2048');
  const scheme = { kind: 'rsa-pkcs1', hash: 'sha256' } as const;
  const signer: Signer = {
    ...{ input: 'digest', scheme, spki: publicKey.spki },
    signDigest: async (digest) => signDigest(privateKey, scheme, digest),
  };
  const certificate = await issueSelfSigned(
    {
      subject: [{ oid: OID.commonName, text: 'somebody else' }],
      serialNumber: BigInt(`0x${toHex(randomBytes(16))}`) + 1n,
      validity: { notBeforeMs: Date.UTC(2020), notAfterMs: Date.UTC(2049) },
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: ['digitalSignature'],
    },
    signer,
  );
  return { ...signer, certificate };
}
