// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsTool, type Swtpm, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  createPrimary,
  execute,
  flush,
  policyPcr,
  seal,
  srkTemplate,
  startPolicy,
  systemdPinAuth,
  TPM_RH,
  tpm2EvictControl,
} from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { EXIT } from '../src/exit-code.ts';
import { vouchsafe } from './support.ts';

/** The command against a software TPM of this test. */
async function machine(t: TestContext) {
  const dir = tempDir(t);
  const swtpm = await startSwtpm(t, dir);
  const at = (name: string): string => join(dir, name);
  const run = (...args: string[]) => vouchsafe(dir, ...args);
  const tpm = (verb: string, ...args: string[]) => run('tpm', verb, '--tpm', `swtpm:${swtpm.path}`, ...args);
  return { swtpm, at, run, tpm };
}

const NONCE = '00112233445566778899aabbccddeeff';
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

test('info and pcrs say what tpm2-tools say', needsTool('swtpm', 'tpm2_pcrread'), async (t) => {
  const { swtpm, tpm } = await machine(t);
  await swtpm.tool('tpm2_pcrextend', `7:sha256=${'11'.repeat(32)}`);
  const theirs = Buffer.from(await swtpm.tool('tpm2_pcrread', 'sha256:7')).toString();
  const ours = tpm('pcrs', '--pcrs', 'sha256:7');
  assert.equal(ours.code, EXIT.good, ours.stderr);
  assert.equal(ours.stdout.replace(/\s/g, ''), theirs.replace(/\s/g, ''));
  const all = json(tpm('pcrs', '--json').stdout) as { pcrs: Record<string, Record<string, string>> };
  assert.equal(Object.keys(all.pcrs['sha256'] ?? {}).length, 24);
  const info = tpm('info', '--json');
  assert.equal(info.code, EXIT.good, info.stderr);
  assert.equal(json(info.stdout)['manufacturer'], 'IBM');
});

async function quoted(given: Awaited<ReturnType<typeof machine>>, ...more: string[]) {
  const made = given.tpm(
    'quote',
    ...['--nonce', NONCE, '--attest', given.at('q.attest'), '--signature', given.at('q.sig')],
    ...['--pcr-values', given.at('q.pcrs'), '--ak-public', given.at('ak.pem'), '--pcrs', 'sha256:0,7,23', ...more],
  );
  assert.equal(made.code, EXIT.good, made.stderr);
  const verify = (...args: string[]) =>
    given.run(
      'quote',
      'verify',
      ...['--ak', given.at('ak.pem'), '--attest', given.at('q.attest'), '--signature', given.at('q.sig')],
      ...['--pcrs', given.at('q.pcrs'), '--nonce', NONCE, ...args],
    );
  return { made, verify };
}

test(
  'a quote is checked by us and by tpm2_checkquote; a forged one is refused',
  needsTool('swtpm', 'tpm2_checkquote'),
  async (t) => {
    const given = await machine(t);
    for (const key of ['ecdsa-p256', 'rsassa-2048']) {
      const { verify } = await quoted(given, '--key', key, '--force');
      const good = verify();
      assert.equal(good.code, EXIT.good, good.stdout + good.stderr);
      const check = ['-u', given.at('ak.pem'), '-m', given.at('q.attest'), '-s', given.at('q.sig'), '-q', NONCE];
      await given.swtpm.tool('tpm2_checkquote', ...check);
      const codes = (...args: string[]): unknown => {
        const bad = verify('--json', ...args);
        assert.equal(bad.code, EXIT.no, bad.stderr);
        return (json(bad.stdout)['findings'] as { code: string }[]).map(({ code }) => code);
      };
      assert.deepEqual(codes('--nonce', '00'), ['quote_nonce']);
      assert.deepEqual(codes('--select', 'sha256:0,4,7,23'), ['quote_selection']);
      const values = readFileSync(given.at('q.pcrs'), 'utf8');
      writeFileSync(given.at('forged.pcrs'), values.replace(/"7": "00/, '"7": "01'));
      assert.deepEqual(codes('--pcrs', given.at('forged.pcrs')), ['quote_pcr_digest']);
      const attest = readFileSync(given.at('q.attest'));
      attest[attest.length - 1]! ^= 1;
      writeFileSync(given.at('forged.attest'), attest);
      assert.deepEqual(codes('--attest', given.at('forged.attest')), ['signature_invalid']);
    }
  },
);

test('what tpm2_quote makes is checked', needsTool('swtpm', 'tpm2_quote'), async (t) => {
  const { swtpm, at, run } = await machine(t);
  await swtpm.tool('tpm2_createek', '-c', 'ek.ctx', '-G', 'rsa', '-u', 'ek.pub');
  await swtpm.tool('tpm2_flushcontext', '-t');
  await swtpm.tool(
    'tpm2_createak',
    '-C',
    'ek.ctx',
    '-c',
    'ak.ctx',
    '-G',
    'ecc',
    '-g',
    'sha256',
    '-s',
    'ecdsa',
    '-u',
    'ak.pub',
    '-f',
    'tss',
  );
  await swtpm.tool('tpm2_flushcontext', '-t');
  await swtpm.tool(
    'tpm2_quote',
    '-c',
    'ak.ctx',
    '-l',
    'sha256:0,7',
    '-q',
    NONCE,
    '-m',
    'q.attest',
    '-s',
    'q.sig',
    '-g',
    'sha256',
  );
  writeFileSync(at('q.pcrs'), await swtpm.tool('tpm2_pcrread', 'sha256:0,7'));
  const args = ['--ak', at('ak.pub'), '--attest', at('q.attest'), '--signature', at('q.sig'), '--pcrs', at('q.pcrs')];
  const good = run('quote', 'verify', ...args, '--nonce', NONCE);
  assert.equal(good.code, EXIT.good, good.stdout + good.stderr);
});

test('a secret opens until a PCR changes, and then it is said which', needsTool('swtpm'), async (t) => {
  const { swtpm, at, tpm } = await machine(t);
  writeFileSync(at('secret'), 'the key of the disk');
  writeFileSync(at('pin'), '1234\n');
  const sealed = tpm('seal', at('secret'), '-o', at('sealed'), '--pcrs', 'sha256:7,11', '--pin-file', at('pin'));
  assert.equal(sealed.code, EXIT.good, sealed.stderr);
  const again = tpm('seal', at('secret'), '-o', at('sealed'));
  assert.equal(again.code, EXIT.failed, 'an existing file is kept');
  const opened = tpm('unseal', at('sealed'), '--pin-file', at('pin'));
  assert.equal(opened.stdout, 'the key of the disk', opened.stderr);
  assert.equal(tpm('unseal', at('sealed')).code, EXIT.usage, 'the PIN is missing');
  await swtpm.tool('tpm2_pcrextend', `11:sha256=${'22'.repeat(32)}`);
  const closed = tpm('unseal', at('sealed'), '--pin-file', at('pin'), '--json', '-o', at('out'));
  assert.equal(closed.code, EXIT.no, closed.stderr);
  const findings = json(closed.stdout)['findings'] as { code: string; where: { pcr: number } }[];
  assert.deepEqual(
    findings.map(({ code, where }) => `${code} ${where.pcr}`),
    ['seal_pcr_changed 11'],
  );
  assert.match(closed.stderr, /unified kernel image/);
  assert.throws(() => readFileSync(at('out')), { code: 'ENOENT' });
});

test(
  'a volume of systemd-cryptenroll opens by its token',
  needsTool('swtpm', 'systemd-cryptenroll', 'cryptsetup'),
  async (t) => {
    const { swtpm, at, tpm } = await machine(t);
    const volume = at('volume');
    execFileSync('truncate', ['-s', '32M', volume]);
    writeFileSync(at('password'), 'passphrase');
    const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    const cryptsetup = (...args: string[]) => execFileSync('cryptsetup', args, { stdio: 'pipe' });
    cryptsetup('luksFormat', '-q', '--type', 'luks2', ...quick, volume, at('password'));
    const env = { ...process.env, PASSWORD: 'passphrase' };
    const device = `swtpm:path=${swtpm.path}`;
    execFileSync('systemd-cryptenroll', ['--tpm2-device', device, '--tpm2-pcrs', '7', volume], { env, stdio: 'pipe' });
    const opened = tpm('unseal', volume, '-o', at('slot'));
    assert.equal(opened.code, EXIT.good, opened.stderr);
    cryptsetup('open', '--test-passphrase', '--key-slot', '1', '--key-file', at('slot'), volume);
    // And one of ours: systemd's own code opens it, in a process that mounts nothing.
    writeFileSync(at('secret'), Buffer.alloc(32, 7));
    writeFileSync(at('passphrase'), Buffer.alloc(32, 7).toString('base64'));
    cryptsetup('luksAddKey', ...quick, '--key-file', at('password'), volume, at('passphrase'));
    const sealed = tpm('seal', at('secret'), '--luks', volume, '--keyslot', '2', '--pcrs', 'sha256:7');
    assert.equal(sealed.code, EXIT.good, sealed.stderr);
    const second = tpm('unseal', volume, '--token', '1');
    assert.equal(second.stdout, readFileSync(at('passphrase'), 'utf8'), second.stderr);
    assert.equal(tpm('unseal', volume).code, EXIT.usage, 'which of the two?');
  },
);

test(
  'A51: a volume of systemd-cryptenroll under a signed policy opens in the phase that was signed by the pinned key, and in no other',
  needsTool('swtpm', 'systemd-cryptenroll', 'cryptsetup', 'tpm2_pcrextend'),
  async (t) => {
    const { swtpm, at, tpm } = await machine(t);
    const volume = at('volume');
    writeFileSync(volume, '');
    truncateSync(volume, 32 * 1024 * 1024);
    writeFileSync(at('password'), 'passphrase');
    const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    execFileSync('cryptsetup', ['luksFormat', '-q', '--type', 'luks2', ...quick, volume, at('password')]);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(at('key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    const phase = (...words: readonly Uint8Array[]): Uint8Array => {
      let value = Buffer.alloc(32);
      for (const word of words) value = createHash('sha256').update(value).update(word).digest();
      return new Uint8Array(value);
    };
    const [leaving, other] = [new Uint8Array(32).fill(0x22), generateKeyPairSync('rsa', { modulusLength: 2048 })];
    /** A signature over PCR 11 as it is in a phase. */
    const signed = (value: Uint8Array, keys = { privateKey, publicKey }, named = keys.publicKey) => {
      const pcrs = [{ bank: 'sha256', pcrs: [11] }] as const;
      const { digest } = policyPcr(startPolicy('sha256'), pcrs, [{ bank: 'sha256', pcr: 11, value }]);
      const pkfp = createHash('sha256')
        .update(named.export({ type: 'pkcs1', format: 'der' }))
        .digest('hex');
      const sig = sign('sha256', digest, keys.privateKey).toString('base64');
      return { pcrs: [11], pkfp, pol: Buffer.from(digest).toString('hex'), sig };
    };
    const entry = signed(phase());
    writeFileSync(at('pcrsig.json'), JSON.stringify({ sha256: [entry] }));
    const env = { ...process.env, PASSWORD: 'passphrase' };
    const policy = ['--tpm2-pcrs=', `--tpm2-public-key=${at('key.pem')}`, '--tpm2-public-key-pcrs=11'];
    const device = `--tpm2-device=swtpm:path=${swtpm.path}`;
    // It opens what it has sealed itself, by this signature.
    const enrol = [device, ...policy, `--tpm2-signature=${at('pcrsig.json')}`, volume];
    execFileSync('systemd-cryptenroll', enrol, { env, stdio: 'pipe' });
    const opened = tpm('unseal', volume, '--pcrsig', at('pcrsig.json'), '-o', at('slot'));
    assert.equal(opened.code, EXIT.good, opened.stderr);
    execFileSync('cryptsetup', ['open', '--test-passphrase', '--key-slot', '1', '--key-file', at('slot'), volume]);
    await swtpm.tool('tpm2_pcrextend', `11:sha256=${'22'.repeat(32)}`);
    assert.equal(tpm('unseal', volume, '--pcrsig', at('pcrsig.json')).code, EXIT.no, 'PCR 11 has gone on');
    const opens = (...entries: readonly ReturnType<typeof signed>[]): boolean => {
      writeFileSync(at('other.json'), JSON.stringify({ sha256: entries }));
      const { code, stdout } = tpm('unseal', volume, '--pcrsig', at('other.json'));
      // A signature that is none at all is a file that cannot be used; either way nothing comes out.
      assert.ok(code === EXIT.good || ((code === EXIT.no || code === EXIT.failed) && stdout === ''), String(code));
      return code === EXIT.good;
    };
    const now = phase(leaving);
    assert.equal(opens(signed(phase(leaving, leaving))), false, 'a signature for a later phase');
    assert.equal(opens(signed(now, other)), false, 'of another key');
    assert.equal(opens(signed(now, other, publicKey)), false, 'of another key, under the name of the pinned one');
    assert.equal(
      opens({ ...signed(phase()), pol: signed(now).pol }),
      false,
      'of an earlier phase, said to be of this one',
    );
    assert.equal(opens(signed(phase()), signed(now, other), signed(now)), true, 'for this phase, among others');
  },
);

test(
  'a token as systemd 254 writes it opens with its PIN; one under pcrlock asks for its file',
  needsTool('swtpm', 'cryptsetup'),
  async (t) => {
    const { swtpm, at, tpm } = await machine(t);
    const volume = at('volume');
    writeFileSync(volume, '');
    truncateSync(volume, 32 * 1024 * 1024);
    writeFileSync(at('password'), 'passphrase');
    writeFileSync(at('pin'), '4321\n');
    const cryptsetup = (...args: string[]) => execFileSync('cryptsetup', args, { stdio: 'pipe' });
    const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    cryptsetup('luksFormat', '-q', '--type', 'luks2', ...quick, volume, at('password'));
    const salt = Buffer.alloc(32, 5);
    const secret = Uint8Array.from(Buffer.alloc(32, 7));
    const connection = await openSwtpm({ path: swtpm.path });
    const srk = await createPrimary(connection, { template: srkTemplate('ecc') });
    const handle = 0x8100_0001;
    await execute(connection, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle: srk, persistentHandle: handle });
    await flush(connection, srk);
    const sealed = await seal(connection, {
      secret,
      parent: { template: 'persistent', handle, area: srk.area },
      policy: { hash: 'sha256', withPin: true },
      values: [],
      auth: systemdPinAuth('4321', salt),
      random: (size) => Uint8Array.from(randomBytes(size)),
    });
    await connection.close();
    const sized = (bytes: Uint8Array) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
    const word = (value: number) =>
      Buffer.from([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
    const token = {
      type: 'systemd-tpm2',
      keyslots: ['1'],
      'tpm2-blob': Buffer.concat([sized(sealed.private), sized(sealed.area.bytes)]).toString('base64'),
      'tpm2-pcrs': [],
      'tpm2-policy-hash': Buffer.from(sealed.area.value.authPolicy).toString('hex'),
      'tpm2-pin': true,
      tpm2_pcrlock: false,
      tpm2_salt: salt.toString('base64'),
      tpm2_srk: Buffer.concat([word(handle), sized(srk.name), word(1), sized(srk.area.bytes)]).toString('base64'),
    };
    writeFileSync(at('slot'), Buffer.from(secret).toString('base64'));
    cryptsetup('luksAddKey', ...quick, '--key-file', at('password'), volume, at('slot'));
    writeFileSync(at('token.json'), JSON.stringify(token));
    cryptsetup('token', 'import', '--json-file', at('token.json'), volume);
    const opened = tpm('unseal', volume, '--pin-file', at('pin'));
    assert.equal(opened.stdout, readFileSync(at('slot'), 'utf8'), opened.stderr);
    const area = Buffer.concat([
      word(0x0180_0001),
      Buffer.from([0, 11]),
      word(0x0002_0008),
      sized(Buffer.alloc(0)),
      Buffer.from([0, 34]),
    ]);
    const index = Buffer.concat([word(0x0180_0001), sized(Buffer.alloc(34)), word(2), sized(area)]).toString('base64');
    writeFileSync(at('token.json'), JSON.stringify({ ...token, tpm2_pcrlock: true, tpm2_pcrlock_nv: index }));
    cryptsetup('token', 'import', '--json-file', at('token.json'), '--token-id', '7', volume);
    const locked = tpm('unseal', volume, '--token', '7', '--pin-file', at('pin'));
    assert.equal(locked.code, EXIT.usage, locked.stderr);
    assert.match(locked.stderr, /--pcrlock/);
  },
);

test(
  'A61: a one-time code is shown while all is as it was, and for the PCRs it was sealed to alone',
  needsTool('swtpm'),
  async (t) => {
    const { swtpm, at, tpm } = await machine(t);
    writeFileSync(at('pw'), 'recover');
    const init = tpm('totp', 'init', '--password-file', at('pw'), '--json');
    assert.equal(init.code, EXIT.good, init.stderr);
    assert.match(String(json(init.stdout)['uri']), /^otpauth:\/\/totp\/vouchsafe\?secret=[A-Z2-7]{32}&/);
    const code = (...args: string[]) => tpm('totp', 'show', '--json', ...args);
    assert.match(String(json(code().stdout)['code']), /^[0-9]{6}$/);
    assert.equal(code('--pcrs', 'sha256:7').code, EXIT.no, 'other PCRs than the key has');
    await swtpm.tool('tpm2_pcrextend', `4:sha256=${'22'.repeat(32)}`);
    assert.equal(code().code, EXIT.no);
    assert.equal(tpm('totp', 'reseal', '--password-file', at('pw')).code, EXIT.good);
    assert.equal(code().code, EXIT.good);
    assert.equal(tpm('totp', 'remove').code, EXIT.good);
  },
);

async function certified(t: TestContext): Promise<{ swtpm: Swtpm; dir: string }> {
  const dir = tempDir(t);
  writeFileSync(
    join(dir, 'localca.conf'),
    `statedir = ${dir}\nsigningkey = ${dir}/key.pem\nissuercert = ${dir}/issuer.pem\ncertserial = ${dir}/serial\n`,
  );
  writeFileSync(
    join(dir, 'localca.options'),
    '--platform-manufacturer test\n--platform-version 1\n--platform-model test\n',
  );
  writeFileSync(
    join(dir, 'setup.conf'),
    `create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = ${dir}/localca.conf\ncreate_certs_tool_options = ${dir}/localca.options\n`,
  );
  execFileSync('swtpm_setup', ['--tpm2', '--tpm-state', dir, '--create-ek-cert', '--config', join(dir, 'setup.conf')], {
    stdio: 'pipe',
  });
  return { swtpm: await startSwtpm(t, dir), dir };
}

test('certificates of the maker: shown, genuine, and not', needsTool('swtpm', 'swtpm_setup', 'certtool'), async (t) => {
  const { swtpm, dir } = await certified(t);
  const tpm = (...args: string[]) => vouchsafe(dir, 'tpm', 'ek', '--tpm', `swtpm:${swtpm.path}`, ...args);
  const shown = tpm('-o', join(dir, 'ek.pem'));
  assert.equal(shown.code, EXIT.good, shown.stderr);
  assert.match(shown.stdout, /swtpm/);
  const roots = [join(dir, 'swtpm-localca-rootca-cert.pem'), join(dir, 'issuer.pem')];
  const good = tpm(...roots.flatMap((path) => ['--trust', path]));
  assert.equal(good.code, EXIT.good, good.stdout + good.stderr);
  assert.match(good.stdout, /: genuine/);
  const missing = tpm('--trust', join(dir, 'swtpm-localca-rootca-cert.pem'));
  assert.equal(missing.code, EXIT.no);
  assert.match(missing.stdout, /ek_issuer_missing: .*swtpm-localca/);
});

test('wrong places and words', (t) => {
  const dir = tempDir(t);
  const status = (...args: string[]) => vouchsafe(dir, ...args).code;
  assert.equal(status('tpm', 'pcrs', '--tpm', `swtpm:${dir}/none`), EXIT.failed);
  assert.equal(status('tpm', 'pcrs', '--tpm', 'device:/dev/null'), EXIT.failed);
  for (const place of ['none', 'device:', 'swtpm:', 'swtpm:host:0', 'swtpm:host:70000'])
    assert.equal(status('tpm', 'pcrs', '--tpm', place), EXIT.usage, place);
  for (const list of ['sha256:24', 'sha9:1', 'sha256:1+sha256:2', 'sha256:', 'x'])
    assert.equal(status('tpm', 'pcrs', '--pcrs', list), EXIT.usage, list);
  assert.equal(status('tpm', 'events', '--root', dir), EXIT.failed);
  assert.equal(status('tpm', 'totp', 'dance'), EXIT.usage);
});
