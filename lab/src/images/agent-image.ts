// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianCloudKernel, debianPackageFiles } from './debian-packages.ts';

const guestFile = (name: string): string => fileURLToPath(new URL(`../../guest/${name}`, import.meta.url));
/** Node.js as the project installs it; what the machine runs is what the tests run. */
const nodeProgram = (): string => fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));

/** What Node.js needs, and a shell. */
const PACKAGES = ['base-files', 'busybox-static', 'libc6', 'libgcc-s1', 'libstdc++6'];
/**
 * What other programs need to use the agent's client certificate: OpenSSL with its provider of keys in a TPM, and a resource
 * manager for it, which it speaks to over D-Bus. The kernel's keeps a program's objects all loaded at once, and the provider
 * has more of them than a TPM has room for.
 */
const TPM_TLS_PACKAGES = [
  ...['openssl', 'libssl3', 'tpm2-openssl', 'libtss2-esys-3.0.2-0', 'libtss2-sys1', 'libtss2-mu0', 'libtss2-rc0'],
  ...['libtss2-tctildr0', 'libtss2-tcti-device0', 'libtss2-tcti-tabrmd0', 'tpm2-abrmd', 'libglib2.0-0', 'libffi8'],
  ...['libmount1', 'libblkid1', 'libpcre2-8-0', 'libselinux1', 'zlib1g', 'dbus-daemon', 'dbus-session-bus-common'],
  ...['libapparmor1', 'libaudit1', 'libcap-ng0', 'libdbus-1-3', 'libexpat1', 'libsystemd0', 'liblzma5', 'libzstd1'],
  ...['liblz4-1', 'libgcrypt20', 'libgpg-error0', 'libcap2'],
];
const APPLETS =
  'sh mount mkdir cat echo find cpio sync poweroff sleep od tr ip printf wget ls rm cp mv chmod dd grep head sed'.split(
    ' ',
  );
const MODULES = 'virtio_pci virtio_blk virtio_console virtio_net dm-verity erofs'.split(' ');

export interface AgentImageRequest {
  readonly name: string;
  readonly version: string;
  /** A folder of `keys generate`. */
  readonly keys: string;
  /** The agent in one file, as `vouchsafe agent bundle` writes it. */
  readonly agentBundle: string;
  /** Puts in what `agent proxy` takes: OpenSSL with its provider of keys in a TPM, tpm2-abrmd and D-Bus. */
  readonly hasTpmTls?: boolean;
  /** Further lines of the recipe. */
  readonly more?: readonly string[];
}

/**
 * Writes the recipe of a machine with an agent: Debian packages, Node.js, the agent, and an init that brings up a network
 * and takes orders; and the few files of its own that it names.
 * @returns the recipe's path.
 * @throws {LabError} 'input_missing', 'tool_failed'.
 */
export function writeAgentRecipe(folder: string, request: AgentImageRequest): string {
  const kernel = debianCloudKernel();
  const packages = debianPackageFiles([...PACKAGES, ...(request.hasTpmTls === true ? TPM_TLS_PACKAGES : [])]);
  const overlay = join(folder, 'overlay');
  writeOverlay(overlay);
  if (request.hasTpmTls === true) {
    mkdirSync(join(overlay, 'etc'));
    // D-Bus asks who it is.
    writeFileSync(join(overlay, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  }
  const lines = [
    `# A machine that attests itself. Build it with: vouchsafe image build recipe.yaml`,
    `name: ${request.name}`,
    `version: ${request.version}`,
    'root:',
    '  compression: lz4',
    '  layers:',
    `    - packages: [${packages.map((path) => JSON.stringify(path)).join(', ')}]`,
    '    - folder: overlay',
    ...fileLayer(nodeProgram(), 'usr/bin/node', '0755'),
    ...fileLayer(request.agentBundle, 'usr/lib/vouchsafe/vouchsafe-agent.cjs', '0644'),
    ...fileLayer(guestFile('agent.sh'), 'bin/agent', '0755'),
    ...fileLayer(guestFile('join.sh'), 'bin/join', '0755'),
    ...fileLayer(guestFile('agent-init.sh'), 'sbin/init', '0755'),
    ...fileLayer(guestFile('report.sh'), 'bin/report', '0755'),
    'rules:',
    "  - { paths: '**', set: { uid: 0, gid: 0 } }",
    '  - { paths: [usr/share/doc/**, usr/share/locale/**, usr/lib/x86_64-linux-gnu/gconv/**], remove: true, optional: true }',
    `kernel: { folder: ${JSON.stringify(join(kernel.modulesRoot, '../../..'))} }`,
    `initrd: { modules: [${MODULES.join(', ')}] }`,
    'command-line: console=ttyS0 panic=-1 quiet',
    `keys: ${JSON.stringify(request.keys)}`,
    ...(request.more ?? []),
    '',
  ];
  const path = join(folder, 'recipe.yaml');
  writeFileSync(path, lines.join('\n'));
  return path;
}

/** busybox under the names of its programs, and folders to mount at. */
function writeOverlay(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const path of ['bin', 'proc', 'sys', 'dev', 'run', 'tmp']) mkdirSync(join(folder, path), { recursive: true });
  for (const applet of APPLETS) symlinkSync('busybox', join(folder, 'bin', applet));
}

const fileLayer = (file: string, at: string, mode: string): string[] => [
  `    - { file: ${JSON.stringify(file)}, at: ${at}, mode: ${mode} }`,
];
