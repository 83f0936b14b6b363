// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { LabError } from '../error.ts';

export interface ManufacturedTpm {
  /** For `MachineRequest.tpmState`. */
  readonly stateDir: string;
  /** Certificates of the authority, PEM: its root and the one that issues. */
  readonly authority: { readonly root: string; readonly issuer: string };
}

/** Bank and keys as most machines that are sold have them. */
const SETTINGS = ['--pcr-banks', 'sha256', '--lock-nvram', '--create-ek-cert', '--create-platform-cert'];

/**
 * Makes a TPM as its maker would: endorsement keys with certificates in NV (RSA 2048 and ECC P-384), and swtpm's
 * platform certificate. A state that is there already is kept.
 * @param stateDir of the TPM; made. @param authorityDir of the local certificate authority, for any number of TPMs; made
 * at its first use. @param name of the machine, in the certificate's serial number.
 * @throws {LabError} 'tool_failed'.
 */
export async function manufactureTpm(stateDir: string, authorityDir: string, name: string): Promise<ManufacturedTpm> {
  const [state, authority] = [resolve(stateDir), resolve(authorityDir)];
  const made = {
    stateDir: state,
    authority: { root: join(authority, 'swtpm-localca-rootca-cert.pem'), issuer: join(authority, 'issuer.pem') },
  };
  if (existsSync(state) && readdirSync(state).some((file) => file.endsWith('.permall'))) return made;
  mkdirSync(state, { recursive: true });
  mkdirSync(authority, { recursive: true });
  // swtpm's options are lists with commas, and its files have a word a value: the folders get names of ours.
  const links = mkdtempSync(join(tmpdir(), 'vouchsafe-tpm-'));
  try {
    symlinkSync(state, join(links, 'state'));
    symlinkSync(authority, join(links, 'authority'));
    const config = writeSettings(join(links, 'authority'));
    await setUp(['--tpm2', '--tpmstate', join(links, 'state'), '--config', config, '--vmid', name, ...SETTINGS]);
  } finally {
    rmSync(links, { recursive: true });
  }
  return made;
}

/** swtpm_setup's settings, and those of the local authority that it calls. @returns the file to begin with */
function writeSettings(authority: string): string {
  const write = (file: string, lines: readonly string[]): string => {
    const path = join(authority, file);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return path;
  };
  const tool = write('localca.conf', [
    `statedir = ${authority}`,
    `signingkey = ${join(authority, 'issuer.key')}`,
    `issuercert = ${join(authority, 'issuer.pem')}`,
    `certserial = ${join(authority, 'serial')}`,
  ]);
  const options = write('localca.options', [
    '--platform-manufacturer Vouchsafe',
    '--platform-version 1',
    '--platform-model lab',
  ]);
  return write('setup.conf', [
    'create_certs_tool = /usr/bin/swtpm_localca',
    `create_certs_tool_config = ${tool}`,
    `create_certs_tool_options = ${options}`,
  ]);
}

async function setUp(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('swtpm_setup', args, { encoding: 'utf8' });
  } catch (cause) {
    const { message, stdout = '' } = cause as Error & { readonly stdout?: string };
    throw new LabError('tool_failed', `swtpm_setup did not make a TPM: ${message.trim()}\n${stdout.slice(-1000)}`, {
      cause,
    });
  }
}
