// SPDX-License-Identifier: Apache-2.0
// An operator's empty folder, with the command on PATH, a service manager of its own, and one machine with a TPM.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootEvents, logOf, type MadeBoot, sha256 } from '@vouchsafe/server/test-support/made-boot';
import { manufactureSwtpm, startSwtpm, tempDir } from '@vouchsafe/testing';
import { execute, tpm2PcrExtend } from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { ENVIRONMENT, type Outcome } from '../support.ts';

const PROGRAM = fileURLToPath(new URL('../../../../vouchsafe', import.meta.url));

type Cleanups = { after(fn: () => Promise<void> | void): void };

export interface GuideScene {
  /** Where the operator types. */
  readonly folder: string;
  /** Certificates of who made the machine's TPM. */
  readonly makers: readonly string[];
  /** Types a line into a shell. */
  type(line: string): Outcome;
  /** Starts the machine anew, with a boot that measures this. */
  boot(made?: MadeBoot): Promise<void>;
}

/** Where it listens is the test's to choose; the machine's logs are in a folder, as no test has a kernel of its own. */
const COMMAND = `#!/bin/sh
case $1 in
serve) shift; set -- serve --listen "127.0.0.1:$GUIDE_PORT" --log-level error "$@" ;;
agent) [ "$2" = bundle ] || set -- "$@" --root "$GUIDE_MACHINE/root" ;;
esac
exec "$GUIDE_PROGRAM" "$@"
`;

/** What the guide asks of systemd, done as its unit says it. */
const SERVICE_MANAGER = `#!/bin/sh
set -eu
pid=$GUIDE_FOLDER/serve.pid
stop() { kill -TERM "$(cat "$pid")"; while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.05; done; rm "$pid"; }
case $1 in
stop) [ ! -f "$pid" ] || stop ;;
start)
  cd "$GUIDE_FOLDER"
  : >serve.log
  nohup sh -c 'echo $$ >serve.pid; exec $GUIDE_SERVE' >serve.log 2>&1 </dev/null &
  until grep -q '^serving at' serve.log; do kill -0 $! 2>/dev/null || { rm -f serve.pid; cat serve.log >&2; exit 1; }; sleep 0.05; done ;;
esac
`;

export async function openGuideScene(t: Cleanups, serveLine: string): Promise<GuideScene> {
  const dir = tempDir({ after: (fn) => t.after(fn as () => void) });
  const [folder, bin, machine] = ['operator', 'bin', 'machine'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [folder, bin, machine]) mkdirSync(path);
  for (const [name, text] of [
    ['vouchsafe', COMMAND],
    ['systemctl', SERVICE_MANAGER],
  ] as const) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  manufactureSwtpm(machine);
  const env = {
    ...ENVIRONMENT,
    PATH: `${bin}:${process.env['PATH']}`,
    VOUCHSAFE_TPM: `swtpm:${join(machine, 'tpm.sock')}`,
    STATE_DIRECTORY: join(machine, 'state'),
    GUIDE_PORT: String(await freePort()),
    GUIDE_MACHINE: machine,
    GUIDE_FOLDER: folder,
    GUIDE_PROGRAM: PROGRAM,
    GUIDE_SERVE: serveLine,
  };
  const type = (line: string): Outcome => {
    const { status, stdout, stderr } = spawnSync('sh', ['-euc', line], { cwd: folder, env, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  t.after(() => void type('systemctl stop vouchsafe'));
  let switchOff: (() => Promise<void> | void) | undefined;
  t.after(() => switchOff?.());
  let boots = 0;
  const boot = async (made: MadeBoot = {}): Promise<void> => {
    await switchOff?.();
    // Switched off as by a loss of power: nobody tells the TPM, which takes that for an attack on keys that have a password.
    const onEnd = (end: () => Promise<void> | void): void => {
      switchOff = end;
    };
    const { path } = await startSwtpm({ after: onEnd }, machine);
    const events = bootEvents(made);
    const tpm = await openSwtpm({ path });
    for (const { pcr, data } of events) {
      await execute(tpm, tpm2PcrExtend, { pcrHandle: pcr, digests: [{ hashAlg: 'sha256', digest: sha256(data) }] });
    }
    await tpm.close();
    boots += 1;
    const put = (name: string, contents: Uint8Array | string): void => {
      mkdirSync(dirname(join(machine, 'root', name)), { recursive: true });
      writeFileSync(join(machine, 'root', name), contents);
    };
    put('sys/kernel/security/tpm0/binary_bios_measurements', logOf(events));
    put('proc/sys/kernel/random/boot_id', `11111111-2222-4333-8444-${String(boots).padStart(12, '0')}\n`);
  };
  const makers = ['swtpm-localca-rootca-cert.pem', 'issuer.pem'].map((name) => join(machine, 'ca', name));
  return { folder, makers: makers.filter((path) => existsSync(path)), type, boot };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export const readText = (path: string): string => readFileSync(path, 'utf8');
