// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex } from '@vouchsafe/base';
import {
  decodePublic,
  EK_TEMPLATES,
  ekTemplate,
  importSigningKey,
  makeCredential,
  nameOf,
  type PcrValue,
  policyAuthValue,
  policyPcr,
  prepare,
  type RandomSource,
  sealForImport,
  startPolicy,
  TPM_RH,
  tpm2PcrRead,
  tpm2Unseal,
  verifyQuote,
} from '@vouchsafe/tpm';

/** Files of testdata/quote, in hexadecimal. */
export interface Inputs {
  readonly area: string;
  readonly attest: string;
  readonly signature: string;
  readonly nonce: string;
  readonly pcrs: readonly string[];
  /** An RSA and an ECC endorsement key, TPM2B_PUBLIC. */
  readonly eks: readonly string[];
}

export interface Answers {
  readonly quoted: readonly string[];
  readonly refused: string;
  readonly made: readonly string[];
  readonly names: readonly string[];
  readonly policy: string;
  readonly request: string;
}

const SELECTION = [{ bank: 'sha256', pcrs: [0, 7, 11] }] as const;

/** Not random: both runtimes must draw the same. */
function counting(): RandomSource {
  let next = 1;
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => next++ & 0xff);
}

/** A quote checked, credentials and imports made, a policy computed, a command written: all without a TPM. */
export function runTpm(inputs: Inputs): Answers {
  const pcrs: PcrValue[] = inputs.pcrs.map((value, i) => ({
    bank: 'sha256',
    pcr: SELECTION[0].pcrs[i] as number,
    value: parseHex(value),
  }));
  const evidence = { attest: parseHex(inputs.attest), signature: parseHex(inputs.signature), pcrs };
  const expected = {
    key: importSigningKey(decodePublic(parseHex(inputs.area)).value),
    selection: SELECTION,
    nonce: parseHex(inputs.nonce),
  };
  let refused = 'nothing thrown';
  try {
    verifyQuote(evidence, { ...expected, nonce: new Uint8Array(1) });
  } catch (error) {
    refused = (error as { code: string }).code;
  }
  const policy = policyAuthValue(policyPcr(startPolicy('sha256'), SELECTION, pcrs));
  const made = inputs.eks.flatMap((hex) => {
    const ek = decodePublic(parseHex(hex)).value;
    const name = nameOf(decodePublic(parseHex(inputs.area)));
    const { credentialBlob, secret } = makeCredential(ek, name, parseHex('00112233'), counting());
    const { duplicate, inSymSeed } = sealForImport(ek, { data: parseHex('445566') }, counting());
    return [credentialBlob, secret, duplicate, inSymSeed].map(toHex);
  });
  const requests = [
    prepare(tpm2Unseal, { itemHandle: { handle: 0x8000_0000, name: new Uint8Array(34) } }, { allowPlaintext: true }),
    prepare(tpm2PcrRead, { pcrSelectionIn: [] }, {}),
  ];
  return {
    quoted: verifyQuote(evidence, expected).pcrs.map(({ value }) => toHex(value)),
    refused,
    made,
    names: [...EK_TEMPLATES.map(({ template }) => nameOf(template)), nameOf(ekTemplate('L-1').template)].map(toHex),
    policy: toHex(policy.digest),
    request: `${toHex(concatBytes(...requests.map(({ request }) => request)))} ${TPM_RH.owner}`,
  };
}

Object.assign(globalThis, { runTpm });
