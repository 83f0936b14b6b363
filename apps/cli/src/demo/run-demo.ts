// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { toHex } from '@vouchsafe/base';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { writeAgentRecipe } from '@vouchsafe/lab';
import { FIRMWARE_VARIABLES, HOST_ADDRESS, manufactureTpm, tamperedCopy } from '@vouchsafe/lab/boot';
import { formatCertificate } from '@vouchsafe/pki';
import type { CreatedToken, FirmwareBaselineRecord } from '@vouchsafe/protocol';
import { readServiceFile } from '../service/service-file.ts';
import { Commands, ServeCommand } from './commands.ts';
import type { DemoDisplay } from './display.ts';
import { Fleet } from './fleet/fleet.ts';
import { readRecordedBoot } from './fleet/recorded-boot.ts';
import { newTpmMaker } from './fleet/tpm-maker.ts';
import { type DemoFolder, IMAGE } from './folder.ts';
import { DemoMachine } from './machines.ts';
import { type DemoOutcome, readOutcome } from './outcome.ts';

/** How the two machines are called. */
const GOOD = 'good';
const TAMPERED = 'tampered';
/** What is done to the disk of the second: something that no signature covers. */
const CASE = 'credential';

/** They all come from this address, and at once. */
const FLEET_LIMITS = 'machines=1000000,enrolments=1000000,requests=1000000';
/** Well within the time after which they would be stale. */
const FLEET_INTERVAL_MS = 10 * 60_000;

export interface DemoRun {
  readonly folder: DemoFolder;
  readonly display: DemoDisplay;
  /** Simulated machines beside the two. */
  readonly fleetSize?: number;
  /** Called when all is done, while the service still runs. */
  readonly whenDone?: (service: ServeCommand) => Promise<void>;
}

/**
 * The main job, from keys to grants: an image with its manifest, a service, and two machines that boot it, of which one was
 * tampered with. What it starts is stopped however it ends.
 * @throws {DemoError}, {LabError}
 */
export async function runDemo({ folder, display, fleetSize, whenDone }: DemoRun): Promise<DemoOutcome> {
  const at = (path: string): string => relative(folder.path, path);
  const commands = new Commands(folder.path, folder.admin, (line) => display.remark(line));
  const command = async (...args: string[]): Promise<unknown> => {
    display.command(args);
    return await commands.run(...args);
  };
  display.step('Keys for Secure Boot, PCR policies, dm-verity and manifests');
  if (existsSync(folder.keys)) display.note('kept from an earlier run');
  else await command('keys', 'generate', at(folder.keys));

  display.step('An image: Debian packages, Node.js and the agent; and all that it will measure, before it ever boots');
  display.note("Debian's kernel and packages are fetched, unless they are there");
  await command('agent', 'bundle', '-o', at(folder.agent), '--force');
  const recipe = writeAgentRecipe(folder.image, { ...IMAGE, keys: folder.keys, agentBundle: folder.agent });
  await command('image', 'build', at(recipe), '-o', at(join(folder.image, 'out')), '--force');
  const enroll = ['--vars', FIRMWARE_VARIABLES, '-o', at(folder.variables), '--force'];
  await command('keys', 'enroll', at(folder.keys), ...enroll);

  display.step('The service, with SQLite');
  const port = await freePort();
  const place = ['--listen', `127.0.0.1:${port}`, '--url', `https://${HOST_ADDRESS}:${port}`];
  display.command(['serve', '--state', at(folder.state), ...place]);
  await using service = await ServeCommand.start(folder.path, join(folder.run, 'service.log'), [
    ...['--state', at(folder.state)],
    ...place,
    ...(fleetSize === undefined ? [] : ['--limit', FLEET_LIMITS]),
  ]);
  // The machines' address leads to this one from inside a machine alone.
  const admin = JSON.parse(readFileSync(join(folder.state, 'admin.json'), 'utf8'));
  writeFileSync(folder.admin, JSON.stringify({ ...admin, url: `https://127.0.0.1:${port}` }), { mode: 0o600 });

  display.step(
    'Two machines with a TPM each, and what to trust: the maker of the TPMs, the signer of manifests, the image',
  );
  const tpms = await Promise.all(
    [GOOD, TAMPERED].map((name) => manufactureTpm(join(folder.run, name, 'tpm'), folder.makers, name)),
  );
  const makers = Object.values(tpms[0]?.authority ?? {});
  await command('trust', 'add', ...makers.map(at), '--for', 'tpm-maker');
  await command('trust', 'add', at(join(folder.keys, 'manifest.crt')), '--for', 'manifest-signer');
  await command('reference', 'add', at(folder.manifest), '--activate');
  const secret = toHex(randomBytes(16));
  writeFileSync(folder.secret, secret, { mode: 0o600 });
  writeFileSync(folder.secretPolicy, 'permit(principal, action == Action::"release", resource);\n');
  await command('secret', 'put', 'disk-key', at(folder.secret), '--policy', at(folder.secretPolicy));

  display.step(
    'Both boot under emulation, with Secure Boot on; into the disk of one somebody has put a file that no signature covers',
  );
  display.note(`vouchsafe lab boot --tamper help says what else can be done to it; here: ${CASE}`);
  await tamperedCopy([CASE], folder.disk, folder.tampered);
  const started: DemoMachine[] = [];
  await using stack = new AsyncDisposableStack();
  for (const [name, disk] of [
    [GOOD, folder.disk],
    [TAMPERED, folder.tampered],
  ] as const) {
    const { text } = (await command('token', 'create', '--device', name)) as CreatedToken;
    const request = { name, disk, variables: folder.variables, tpmState: join(folder.run, name, 'tpm'), token: text };
    const machine = await DemoMachine.start({ ...request, onWord: (word) => display.machine(name, word) });
    stack.use(machine);
    started.push(machine);
  }
  await Promise.all(started.map((machine) => machine.attested()));

  display.step(
    'Nobody knows this firmware yet: an operator looks at what it measured in the good machine, and approves it',
  );
  const { sha256 } = (await command('baseline', 'learn', GOOD)) as FirmwareBaselineRecord;
  await command('baseline', 'approve', sha256);

  display.step('Both attest again, and ask for a certificate and for the secret');
  await Promise.all(started.map((machine) => machine.end(join(folder.run, machine.name))));
  using fleet = fleetSize === undefined ? undefined : await joinFleet({ folder, display, command, at }, fleetSize);
  const show = async (name: string) => ({ name, device: await command('device', 'show', name) });
  const outcome = readOutcome(folder, secret, [await show(GOOD), await show(TAMPERED)], fleet?.outcome);
  copyFileSync(folder.manifest, join(folder.run, 'manifest.json'));
  const done = new AbortController();
  const goesOn = whenDone === undefined ? undefined : fleet?.attestOn(FLEET_INTERVAL_MS, done.signal);
  await whenDone?.(service);
  done.abort();
  await goesOn;
  return outcome;
}

interface Step extends Pick<DemoRun, 'folder' | 'display'> {
  command(...args: string[]): Promise<unknown>;
  at(path: string): string;
}

/** Simulated machines: the service has nothing for them but the authority of their TPMs, which it is told to trust. */
async function joinFleet({ folder, display, command, at }: Step, size: number): Promise<Fleet> {
  display.step(`${size} simulated machines: the agent as it is, TPMs of a test maker, the boot of the good machine`);
  const maker = await newTpmMaker('Vouchsafe demo: TPMs that are none', Date.now());
  writeFileSync(folder.fleetMaker, formatCertificate(maker.certificate));
  await command('trust', 'add', at(folder.fleetMaker), '--for', 'tpm-maker');
  return Fleet.join({
    size,
    service: readServiceFile(folder.admin),
    maker,
    boot: readRecordedBoot(join(folder.run, GOOD, 'first-evidence')),
    onProgress: (text) => display.note(text),
  });
}

/** A port that nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
