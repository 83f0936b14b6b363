// SPDX-License-Identifier: Apache-2.0
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A software TPM of a test's own. It serves one connection at a time on each socket. */
export interface Swtpm {
  /** Its folder; the tools run in it. */
  readonly dir: string;
  /** The data channel's Unix socket. */
  readonly path: string;
  /** The control channel's Unix socket. */
  readonly controlPath: string;
  /** Runs a program of tpm2-tools against it; no other connection may be open. The error holds what it printed. */
  tool(name: string, ...args: readonly string[]): Promise<Uint8Array>;
}

const START_MS = 10_000;

/** A socket's file is there before anybody listens on it. */
async function accepts(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts a software TPM on Unix sockets in `dir`, switched on and started, which ends when the test does. */
export async function startSwtpm(
  t: { after(fn: () => Promise<void> | void): void },
  dir: string,
  flags = 'not-need-init,startup-clear',
): Promise<Swtpm> {
  const path = join(dir, 'tpm.sock');
  const controlPath = `${path}.ctrl`; // where the tools' TCTI expects it
  const server = ['--server', `type=unixio,path=${path}`, '--ctrl', `type=unixio,path=${controlPath}`];
  const all = ['socket', '--tpm2', '--tpmstate', `dir=${dir}`, ...server, ...(flags === '' ? [] : ['--flags', flags])];
  const swtpm = spawn('swtpm', all, { stdio: 'ignore' });
  const ended = once(swtpm, 'exit');
  t.after(async () => {
    swtpm.kill();
    await ended;
  });
  for (let waited = 0; !((await accepts(controlPath)) && (await accepts(path))); waited += 10) {
    if (swtpm.exitCode !== null || waited > START_MS) throw new Error('swtpm did not start');
    await sleep(10);
  }
  const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${path}` };
  return {
    dir,
    path,
    controlPath,
    tool: async (name, ...args) => {
      const { stdout } = await promisify(execFile)(name, args, { cwd: dir, env, encoding: 'buffer' });
      return new Uint8Array(stdout);
    },
  };
}

/**
 * Makes the state of a TPM as its maker would: with certificates of its endorsement keys in NV, for `startSwtpm`. The
 * authority that signed them is in `ca/`: `swtpm-localca-rootca-cert.pem`, and the issuer's, `issuer.pem`.
 */
export function manufactureSwtpm(dir: string, rsaBits = 2048): void {
  const ca = join(dir, 'ca');
  mkdirSync(ca);
  const file = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(dir, name), `${lines.join('\n')}\n`);
    return join(dir, name);
  };
  const localca = file('localca.conf', [
    `statedir = ${ca}`,
    `signingkey = ${ca}/key.pem`,
    `issuercert = ${ca}/issuer.pem`,
    `certserial = ${ca}/serial`,
  ]);
  const options = file('options', ['--platform-manufacturer Test', '--platform-version 1', '--platform-model Test']);
  const setup = file('setup.conf', [
    'create_certs_tool = /usr/bin/swtpm_localca',
    `create_certs_tool_config = ${localca}`,
    `create_certs_tool_options = ${options}`,
    'active_pcr_banks = sha256',
  ]);
  const key = ['--rsa-keysize', String(rsaBits)];
  const all = ['--tpm2', '--tpmstate', dir, '--config', setup, '--create-ek-cert', '--lock-nvram', '--vmid', 'test'];
  execFileSync('swtpm_setup', [...all, ...key], { stdio: 'ignore' });
}
