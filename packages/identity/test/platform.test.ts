// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import {
  applyDelta,
  buildTrustStore,
  type Component,
  checkEndorsementKey,
  checkPlatformCertificate,
  decodePlatformCertificate,
  type PlatformOptions,
  type VerifiedEndorsementKey,
} from '@vouchsafe/identity';
import {
  type Authority,
  type Certificate,
  contextTag,
  encodeBitString,
  encodeElement,
  encodeGeneralNames,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  encodeSignatureAlgorithm,
  encodeUtf8String,
  OID,
  signWith,
} from '@vouchsafe/pki';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { below, END, NOW, root } from '@vouchsafe/testing/authorities';
import { ekBy } from './parties.ts';

const constructed = (number: number, ...parts: Uint8Array[]) =>
  encodeElement(contextTag(number, 'constructed'), ...parts);
const primitive = (number: number, text: string) => encodeElement(contextTag(number, 'primitive'), ascii(text));
const attribute = (oid: string, value: Uint8Array) => encodeSequence(encodeOid(oid), encodeSetOf([value]));
const time = (text: string) => encodeElement(0x18, ascii(text));

interface Part {
  readonly model: string;
  readonly serial?: string;
  readonly status?: number;
}

function component({ model, serial, status }: Part): Uint8Array {
  return encodeSequence(
    encodeSequence(encodeOid('2.23.133.18.3.1'), encodeOctetString(Uint8Array.of(0, 7, 0, 2))),
    encodeUtf8String('maker of parts'),
    encodeUtf8String(model),
    ...(serial === undefined ? [] : [primitive(0, serial)]),
    encodeElement(contextTag(3, 'primitive'), Uint8Array.of(0xff)),
    ...(status === undefined ? [] : [encodeElement(contextTag(7, 'primitive'), Uint8Array.of(status))]),
  );
}

interface Change {
  readonly holder?: { readonly issuer: { readonly bytes: Uint8Array }; readonly serialBytes: Uint8Array };
  readonly parts?: readonly Part[];
  readonly type?: string;
  readonly extension?: Uint8Array;
}

/** A platform certificate of profile 1.1 by that issuer. */
async function platformBy(issuer: Authority, ek: Certificate, change: Change = {}): Promise<Uint8Array> {
  const { holder = ek, parts = [{ model: 'disk', serial: '1' }], type = '2.23.133.8.2', extension } = change;
  const algorithm = encodeSignatureAlgorithm(issuer.signer.scheme);
  const directory = (name: Uint8Array) => encodeSequence(constructed(4, name));
  const names = encodeGeneralNames([
    {
      kind: 'directory',
      attributes: [
        { oid: '2.23.133.5.1.1', text: 'maker of machines' },
        { oid: '2.23.133.5.1.4', text: 'machine' },
        { oid: '2.23.133.5.1.6', text: 'S-1' },
      ],
    },
  ]);
  const info = encodeSequence(
    encodeInteger(1n),
    encodeSequence(constructed(0, directory(holder.issuer.bytes), encodeElement(0x02, holder.serialBytes))),
    constructed(0, directory(issuer.certificate.subject.bytes)),
    algorithm,
    encodeInteger(7n),
    encodeSequence(time('20260101000000Z'), time('20360101000000Z')),
    encodeSequence(
      attribute('2.23.133.2.25', encodeSequence(encodeOid(type))),
      attribute('2.23.133.5.1.7.2', encodeSequence(constructed(0, ...parts.map(component)))),
    ),
    encodeSequence(
      encodeSequence(encodeOid(OID.subjectAltName), encodeOctetString(names)),
      ...(extension === undefined ? [] : [extension]),
    ),
  );
  return encodeSequence(info, algorithm, encodeBitString(await signWith(issuer.signer, info)));
}

async function machine() {
  const tpmMaker = await root('TPM maker');
  const ek = await ekBy(tpmMaker);
  const { endorsementKey } = checkEndorsementKey(
    { ...ek, chain: [] },
    { store: buildTrustStore([tpmMaker.certificate]), nowMs: NOW },
  );
  assert.ok(endorsementKey);
  const platformMaker = await root('platform maker');
  const issuer = await below(platformMaker, 'platform issuer', {
    basicConstraints: { isCa: false, pathLength: undefined },
    keyUsage: ['digitalSignature'],
  });
  const store = buildTrustStore([platformMaker.certificate, issuer.certificate]);
  return { ek: ek.certificate, endorsementKey, platformMaker, issuer, store };
}

function errors(bytes: Uint8Array, ek: VerifiedEndorsementKey, options: PlatformOptions): string[] {
  const { platform, findings } = checkPlatformCertificate(decodePlatformCertificate(bytes), ek, options);
  assert.equal(platform === undefined, findings.length > 0);
  return findings.map(({ code }) => code);
}

test('a platform certificate says what its machine is, and by whose word', async () => {
  const { ek, endorsementKey, issuer, store } = await machine();
  const certificate = decodePlatformCertificate(await platformBy(issuer, ek));
  assert.equal(certificate.kind, 'base');
  assert.equal(certificate.manufacturer, 'maker of machines');
  assert.equal(certificate.model, 'machine');
  assert.equal(certificate.serial, 'S-1');
  const [part] = certificate.configuration?.components ?? [];
  assert.deepEqual(part, {
    componentClass: { registry: '2.23.133.18.3.1', value: '00070002' },
    manufacturer: 'maker of parts',
    model: 'disk',
    serial: '1',
    revision: undefined,
    manufacturerId: undefined,
    fieldReplaceable: true,
    addresses: [],
    status: undefined,
  });
  const { platform, findings } = checkPlatformCertificate(certificate, endorsementKey, { store, nowMs: NOW });
  assert.deepEqual(findings, []);
  assert.equal(platform?.issuer, issuer.certificate);
});

test('a genuine certificate of another machine, an unknown issuer, a forged one, an expired one', async () => {
  const { ek, endorsementKey, issuer, platformMaker, store } = await machine();
  const options = { store, nowMs: NOW };
  const otherMachine = { issuer: ek.issuer, serialBytes: Uint8Array.of(0x55) };
  const stolen = await platformBy(issuer, ek, { holder: otherMachine });
  assert.deepEqual(errors(stolen, endorsementKey, options), ['platform_holder_differs']);
  const good = await platformBy(issuer, ek);
  assert.deepEqual(errors(good, endorsementKey, { ...options, store: buildTrustStore([]) }), [
    'platform_issuer_missing',
  ]);
  const rootOnly = buildTrustStore([platformMaker.certificate]);
  assert.deepEqual(errors(good, endorsementKey, { ...options, store: rootOnly }), ['platform_issuer_missing']);
  assert.deepEqual(errors(good, endorsementKey, { ...options, store: rootOnly, chain: [issuer.certificate] }), []);
  // The maker's issuer may be trusted by itself.
  assert.deepEqual(errors(good, endorsementKey, { ...options, store: buildTrustStore([], [issuer.certificate]) }), []);
  const lookalike = await root('platform issuer');
  const forged = await platformBy(lookalike, ek);
  assert.deepEqual(errors(forged, endorsementKey, options), ['platform_signature_invalid']);
  assert.deepEqual(errors(forged, endorsementKey, { ...options, chain: [lookalike.certificate] }), [
    'platform_not_an_authority',
    'platform_signature_invalid',
  ]);
  assert.ok(errors(good, endorsementKey, { ...options, nowMs: END + 1 }).includes('platform_expired'));
  assert.ok(errors(good, endorsementKey, { ...options, nowMs: 0 }).includes('platform_not_yet_valid'));
  const critical = encodeSequence(
    encodeOid('1.2.3.4'),
    encodeElement(0x01, Uint8Array.of(0xff)),
    encodeOctetString(encodeNull()),
  );
  const unknown = await platformBy(issuer, ek, { extension: critical });
  assert.deepEqual(errors(unknown, endorsementKey, options), ['platform_extension_unknown']);
});

test('a delta belongs to a base certificate, and changes its parts', async () => {
  const { ek, endorsementKey, issuer, store } = await machine();
  const options = { store, nowMs: NOW };
  const parts = [
    { model: 'disk', serial: '1' },
    { model: 'memory', serial: '2' },
    { model: 'card', serial: '3' },
  ];
  const base = decodePlatformCertificate(await platformBy(issuer, ek, { parts }));
  const { platform } = checkPlatformCertificate(base, endorsementKey, options);
  assert.ok(platform);
  const delta = await platformBy(issuer, ek, {
    holder: base.attributeCertificate,
    type: '2.23.133.8.5',
    parts: [
      { model: 'disk', serial: '1', status: 2 },
      { model: 'memory', serial: '9', status: 1 },
      { model: 'fan', serial: '4', status: 0 },
      { model: 'never', serial: '5', status: 2 },
      { model: 'card', serial: '3', status: 0 },
      { model: 'silent' },
    ],
  });
  assert.deepEqual(errors(delta, endorsementKey, options), ['platform_holder_differs']);
  assert.deepEqual(errors(delta, endorsementKey, { ...options, base: platform }), []);
  const list = (found: readonly Component[]) => found.map(({ model, serial }) => `${model} ${serial}`);
  const decoded = decodePlatformCertificate(delta);
  assert.equal(decoded.kind, 'delta');
  const result = applyDelta(base.configuration?.components ?? [], decoded.configuration?.components ?? []);
  assert.deepEqual(list(result.components), ['memory 9', 'card 3', 'fan 4']);
  assert.deepEqual(
    result.conflicts.map(({ component: { model }, reason }) => `${model} ${reason}`),
    ['never not_there', 'card already_there', 'silent no_status'],
  );
});

const GO = 'attestation/google__go-attestation/attributecert/testdata';

interface GoPlatform {
  PlatformManufacturer: string;
  PlatformModel: string;
  PlatformVersion: string;
  PlatformSerial: string;
  Components:
    | { Manufacturer: string; Model: string; Serial: string; Revision: string; FieldReplaceable: boolean }[]
    | null;
  Properties: { PropertyName: string; PropertyValue: string }[] | null;
}

test('platform certificates of makers read as go-attestation reads them', needsVectors(GO), () => {
  const paths = globSync(`${vectorPath(GO)}/*.cer.json`);
  assert.ok(paths.length >= 10);
  for (const path of paths) {
    const expected = JSON.parse(readFileSync(path, 'utf8')) as GoPlatform;
    const found = decodePlatformCertificate(readFileSync(path.replace(/\.json$/, '')));
    const { components = [], properties = [] } = found.configuration ?? {};
    assert.deepEqual(
      [found.manufacturer ?? '', found.model ?? '', found.version ?? '', found.serial ?? ''],
      [expected.PlatformManufacturer, expected.PlatformModel, expected.PlatformVersion, expected.PlatformSerial],
      path,
    );
    assert.deepEqual(
      components.map((one) => [
        one.manufacturer,
        one.model,
        one.serial ?? '',
        one.revision ?? '',
        one.fieldReplaceable ?? false,
      ]),
      (expected.Components ?? []).map((one) => [
        one.Manufacturer,
        one.Model,
        one.Serial,
        one.Revision,
        one.FieldReplaceable,
      ]),
      path,
    );
    assert.deepEqual(
      properties.map(({ name, value }) => [name, value]),
      (expected.Properties ?? []).map((one) => [one.PropertyName, one.PropertyValue]),
      path,
    );
  }
});

const PACCOR = 'attestation/nsacyber__paccor/src/test/resources/sample_testgen1';

test('a platform certificate of profile 2.0 with traits, as paccor writes it', needsVectors(PACCOR), () => {
  const text = readFileSync(vectorPath(PACCOR, 'platform_cert.20250909102720.crt'), 'latin1');
  const found = decodePlatformCertificate(Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64'));
  assert.equal(found.manufacturer, 'Dell Inc.');
  assert.equal(found.serial, 'DQXH253');
  assert.equal(found.configuration?.version, 3);
  const listed = readFileSync(vectorPath(PACCOR, 'localhost-componentlist.json'), 'utf8');
  const models = [...listed.matchAll(/"MODEL":\s*"([^"]*)"/g)].map(([, model]) => model);
  assert.equal(found.configuration.components.length, models.length);
  assert.deepEqual(
    found.configuration.components.map(({ model }) => model),
    models,
  );
});
