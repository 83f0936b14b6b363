// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, concatBytes, parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { decode, encode, u32be } from '@vouchsafe/codec';
import {
  activateCredential,
  attestationKeyTemplate,
  createEk,
  createObject,
  decodePublic,
  EK_TEMPLATES,
  ekTemplate,
  encodePcrSelection,
  execute,
  flush,
  importSigningKey,
  loadObject,
  makeCredential,
  nameOf,
  pemOf,
  publicAreaFromPem,
  readObject,
  readPcrs,
  sealedTemplate,
  sealForImport,
  tpm2bEncryptedSecret,
  tpm2bIdObject,
  tpm2bPrivate,
  tpm2bPublic,
  tpm2Import,
  tpm2Quote,
  tpm2Unseal,
  tpmtSignature,
  verifyQuote,
  withFlushed,
} from '@vouchsafe/tpm';
import { parsePcrFile } from '../support.ts';
import { connected, EMPTY, NULL_SCHEME, NULL_SYMMETRIC, PLAIN, random } from './tpm.ts';
import { NEEDS, SRK, workshop } from './workshop.ts';

const SEALED = ascii('sealed by one, opened by the other');

test('objects: tpm2-tools load ours, and we theirs', NEEDS, async (t) => {
  const { swtpm, read, write, tool } = await workshop(t);
  await connected(swtpm, async (tpm) => {
    const srk = await readObject(tpm, SRK);
    const sealed = await createObject(
      tpm,
      srk,
      { template: sealedTemplate(), auth: ascii('pin'), data: SEALED },
      PLAIN,
    );
    write('ours.pub', encode(tpm2bPublic, sealed.area));
    write('ours.priv', encode(tpm2bPrivate, sealed.private));
  });
  await swtpm.tool('tpm2_load', '-C', '0x81000001', '-u', 'ours.pub', '-r', 'ours.priv', '-c', 'ours.ctx');
  assert.deepEqual(await tool('tpm2_unseal -c ours.ctx -p pin'), SEALED);
  write('data', SEALED);
  await tool('tpm2_create -Q -C 0x81000001 -i data -p other -u theirs.pub -r theirs.priv');
  await connected(swtpm, async (tpm) => {
    const srk = await readObject(tpm, SRK);
    const area = decodePublic(read('theirs.pub'));
    const item = await loadObject(
      tpm,
      srk,
      { area, private: decode(tpm2bPrivate, read('theirs.priv')) },
      ascii('other'),
    );
    await withFlushed(tpm, item, async () => {
      assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: item }, PLAIN)).outData, SEALED);
    });
  });
});

test('public areas and PEM are those of tpm2_readpublic', NEEDS, async (t) => {
  const { swtpm, read, tool } = await workshop(t);
  await tool('tpm2_readpublic -Q -c 0x81000001 -o srk.pub -f tss');
  await tool('tpm2_readpublic -Q -c 0x81000001 -o srk.pem -f pem -n srk.name');
  const area = decodePublic(read('srk.pub'));
  await connected(swtpm, async (tpm) => assert.deepEqual((await readObject(tpm, SRK)).area, area));
  assert.equal(pemOf(area.value), parseUtf8(read('srk.pem')));
  assert.deepEqual(nameOf(area), read('srk.name'));
  const { nameAlg, objectAttributes: attributes } = area.value;
  assert.ok(nameAlg !== 'null' && area.value.type === 'ecc');
  const back = publicAreaFromPem(pemOf(area.value), { nameAlg, objectAttributes: attributes });
  assert.deepEqual(back.unique, area.value.unique);
});

test('quotes: tpm2_checkquote takes ours, and we theirs', NEEDS, async (t) => {
  const { swtpm, read, write, tool } = await workshop(t);
  const selection = [{ bank: 'sha256', pcrs: [0, 7, 11] }] as const;
  const nonce = ascii('a nonce');
  for (const kind of ['ecdsa-p256', 'rsassa-2048'] as const) {
    await connected(swtpm, async (tpm) => {
      const srk = await readObject(tpm, SRK);
      const ak = await loadObject(tpm, srk, await createObject(tpm, srk, { template: attestationKeyTemplate(kind) }));
      await withFlushed(tpm, ak, async () => {
        const PCRselect = selection.map(encodePcrSelection);
        const input = { signHandle: ak, qualifyingData: nonce, inScheme: NULL_SCHEME, PCRselect };
        const { quoted, signature } = await execute(tpm, tpm2Quote, input);
        const { values } = await readPcrs(tpm, selection);
        write('ours.pcrs', concatBytes(...values.map(({ value }) => value)));
        write('ours.attest', quoted);
        write('ours.sig', encode(tpmtSignature, signature));
        write('ours.pem', utf8(pemOf(ak.area.value)));
      });
    });
    const files = '-u ours.pem -m ours.attest -s ours.sig -f ours.pcrs -l sha256:0,7,11 -g sha256';
    await tool(`tpm2_checkquote -Q ${files} -q ${toHex(nonce)}`);
    await assert.rejects(tool(`tpm2_checkquote -Q ${files} -q ${toHex(ascii('another'))}`));
  }
  await swtpm.tool('tpm2_createek', '-Q', '-G', 'ecc', '-c', 'ek.ctx', '-u', 'ek.pub');
  await tool('tpm2_createak -Q -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -f tss -n ak.name');
  await tool(`tpm2_quote -Q -c ak.ctx -l sha256:0,7,11 -q ${toHex(nonce)} -m q.attest -s q.sig -o q.pcrs -g sha256`);
  const { values } = parsePcrFile(read('q.pcrs'));
  const evidence = { attest: read('q.attest'), signature: read('q.sig'), pcrs: values };
  const key = importSigningKey(decodePublic(read('ak.pub')).value);
  assert.equal(verifyQuote(evidence, { key, selection, nonce }).pcrs.length, 3);
});

/** The file of tpm2_makecredential: a magic, a version, then TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
const CREDENTIAL_HEAD = concatBytes(encode(u32be, 0xbadc_c0de), encode(u32be, 1));

test('credentials: tpm2_activatecredential opens ours, and we theirs', NEEDS, async (t) => {
  const { swtpm, read, write, tool } = await workshop(t);
  const credential = ascii('credential of 32 octets at most.');
  for (const kind of ['ecc', 'rsa'] as const) {
    const template = ekTemplate(kind === 'ecc' ? 'L-2' : 'L-1');
    await tool(`tpm2_createek -Q -G ${kind} -c 0x81010001 -u ek.pub`);
    await tool(
      'tpm2_createak -Q -C 0x81010001 -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -f tss -n ak.name -r ak.priv',
    );
    const ek = decodePublic(read('ek.pub'));
    const ours = makeCredential(ek.value, read('ak.name'), credential, random);
    const blob = concatBytes(
      CREDENTIAL_HEAD,
      encode(tpm2bIdObject, ours.credentialBlob),
      encode(tpm2bEncryptedSecret, ours.secret),
    );
    write('ours.cred', blob);
    await swtpm.tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx');
    await swtpm.tool('tpm2_policysecret', '-Q', '-S', 'session.ctx', '-c', 'e');
    await tool('tpm2_activatecredential -Q -c ak.ctx -C 0x81010001 -i ours.cred -o opened -P session:session.ctx');
    await swtpm.tool('tpm2_flushcontext', 'session.ctx');
    assert.deepEqual(read('opened'), credential);

    write('credential', credential);
    await tool(`tpm2_makecredential -Q -u ek.pub -s credential -n ${toHex(read('ak.name'))} -o theirs.cred`);
    const theirs = read('theirs.cred');
    assert.deepEqual(theirs.subarray(0, 8), CREDENTIAL_HEAD);
    const idSize = 2 + new DataView(theirs.buffer, theirs.byteOffset).getUint16(8);
    const made = {
      credentialBlob: decode(tpm2bIdObject, theirs.subarray(8, 8 + idSize)),
      secret: decode(tpm2bEncryptedSecret, theirs.subarray(8 + idSize)),
    };
    await connected(swtpm, async (tpm) => {
      const own = await createEk(tpm, template);
      // The same key from the same template: tpm2_createek's is our L-1 and L-2.
      assert.deepEqual(own.name, nameOf(ek));
      await withFlushed(tpm, own, async () => {
        const key = await createObject(tpm, await readObject(tpm, SRK), {
          template: attestationKeyTemplate('ecdsa-p256'),
        });
        const ak = await loadObject(tpm, await readObject(tpm, SRK), key);
        await withFlushed(tpm, ak, async () => {
          // Theirs is for their key; for ours it must not open.
          await assert.rejects(activateCredential(tpm, own, ak, made, { random }));
        });
      });
    });
    await tool('tpm2_evictcontrol -Q -C o -c 0x81010001');
  }
  // And for a key of ours, made by them.
  await connected(swtpm, async (tpm) => {
    const srk = await readObject(tpm, SRK);
    const created = await createObject(tpm, srk, { template: attestationKeyTemplate('ecdsa-p256') });
    write('ours.pub', encode(tpm2bPublic, created.area));
    write('ours.priv', encode(tpm2bPrivate, created.private));
  });
  const ours = decodePublic(read('ours.pub'));
  for (const { name } of EK_TEMPLATES.filter(({ name }) => name === 'L-2' || name === 'H-3')) {
    await connected(swtpm, async (tpm) => {
      const ek = await createEk(tpm, ekTemplate(name));
      write('ek.pub', encode(tpm2bPublic, ek.area));
      await flush(tpm, ek);
    });
    await tool(`tpm2_makecredential -Q -u ek.pub -s credential -n ${toHex(nameOf(ours))} -o theirs.cred`);
    const theirs = read('theirs.cred');
    const idSize = 2 + new DataView(theirs.buffer, theirs.byteOffset).getUint16(8);
    await connected(swtpm, async (tpm) => {
      const wrapped = { area: ours, private: decode(tpm2bPrivate, read('ours.priv')) };
      const ak = await loadObject(tpm, await readObject(tpm, SRK), wrapped);
      await withFlushed(tpm, ak, async () => {
        const ek = await createEk(tpm, ekTemplate(name));
        await withFlushed(tpm, ek, async () => {
          const made = {
            credentialBlob: decode(tpm2bIdObject, theirs.subarray(8, 8 + idSize)),
            secret: decode(tpm2bEncryptedSecret, theirs.subarray(8 + idSize)),
          };
          assert.deepEqual(await activateCredential(tpm, ek, ak, made, { random }), credential);
        });
      });
    });
  }
});

test('imports: tpm2_import takes ours, and we what tpm2_duplicate made', NEEDS, async (t) => {
  const { swtpm, read, write, tool } = await workshop(t);
  await tool('tpm2_readpublic -Q -c 0x81000001 -o srk.pub -f tss');
  const srk = decodePublic(read('srk.pub')).value;
  const blob = sealForImport(srk, { data: SEALED, auth: ascii('pin') }, random);
  write('ours.pub', encode(tpm2bPublic, blob.objectPublic));
  write('ours.dup', encode(tpm2bPrivate, blob.duplicate));
  write('ours.seed', encode(tpm2bEncryptedSecret, blob.inSymSeed));
  await tool('tpm2_import -Q -C 0x81000001 -u ours.pub -i ours.dup -s ours.seed -r ours.priv');
  await swtpm.tool('tpm2_load', '-Q', '-C', '0x81000001', '-u', 'ours.pub', '-r', 'ours.priv', '-c', 'ours.ctx');
  assert.deepEqual(await tool('tpm2_unseal -c ours.ctx -p pin'), SEALED);

  // The other way: an object that tpm2_duplicate wraps for our storage root key.
  write('data', SEALED);
  await swtpm.tool('tpm2_startauthsession', '-S', 'trial.ctx');
  await swtpm.tool('tpm2_policycommandcode', '-S', 'trial.ctx', '-L', 'dup.policy', 'TPM2_CC_Duplicate');
  await swtpm.tool('tpm2_flushcontext', 'trial.ctx');
  const attributes = 'userwithauth';
  await tool('tpm2_createprimary -Q -C e -G ecc -c primary.ctx');
  await tool(`tpm2_create -Q -C primary.ctx -i data -L dup.policy -a ${attributes} -u theirs.pub -r theirs.priv`);
  await tool('tpm2_load -Q -C primary.ctx -u theirs.pub -r theirs.priv -c theirs.ctx');
  await swtpm.tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx');
  await swtpm.tool('tpm2_policycommandcode', '-S', 'session.ctx', 'TPM2_CC_Duplicate');
  await tool(
    'tpm2_duplicate -Q -C 0x81000001 -c theirs.ctx -G null -p session:session.ctx -r theirs.dup -s theirs.seed',
  );
  await swtpm.tool('tpm2_flushcontext', 'session.ctx');
  await connected(swtpm, async (tpm) => {
    const parent = await readObject(tpm, SRK);
    const objectPublic = decodePublic(read('theirs.pub'));
    const { outPrivate } = await execute(
      tpm,
      tpm2Import,
      {
        parentHandle: parent,
        encryptionKey: EMPTY,
        objectPublic,
        duplicate: decode(tpm2bPrivate, read('theirs.dup')),
        inSymSeed: decode(tpm2bEncryptedSecret, read('theirs.seed')),
        symmetricAlg: NULL_SYMMETRIC,
      },
      PLAIN,
    );
    const item = await loadObject(tpm, parent, { area: objectPublic, private: outPrivate });
    await withFlushed(tpm, item, async () => {
      assert.deepEqual((await execute(tpm, tpm2Unseal, { itemHandle: item }, PLAIN)).outData, SEALED);
    });
  });
});
