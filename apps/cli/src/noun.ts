// SPDX-License-Identifier: Apache-2.0
import type { Noun, Nouns, VerbEntry } from './noun-entry.ts';
import { OPERATOR_NOUNS } from './operator-nouns.ts';

/** A command of one word, as `serve`: the code of NAME is in NAME/NAME.ts. */
export const isSingle = (entry: Noun | VerbEntry): entry is VerbEntry => 'load' in entry;

/** All nouns and verbs. Only the verb that is used is loaded, so that small commands start at once. */
export const NOUNS: Nouns = {
  demo: {
    summary: 'the main job in one go: two machines boot, attest, and are granted or refused',
    load: async () => (await import('./demo/demo.ts')).demo,
  },
  verity: {
    summary: 'dm-verity: make, check, repair, sign and read hash trees',
    example: 'vouchsafe verity format root.erofs root.hash',
    verbs: {
      format: {
        summary: 'make the hash tree of a file or device',
        load: async () => (await import('./verity/format.ts')).format,
      },
      verify: {
        summary: 'check every block up to the root hash',
        load: async () => (await import('./verity/verify.ts')).verify,
      },
      repair: {
        summary: 'mend damaged blocks from parity',
        load: async () => (await import('./verity/repair.ts')).repair,
      },
      dump: { summary: 'show what a superblock says', load: async () => (await import('./verity/dump.ts')).dump },
      read: { summary: 'read a part, checked on the way', load: async () => (await import('./verity/read.ts')).read },
      describe: {
        summary: 'print what boots a root: command lines and tables',
        load: async () => (await import('./verity/describe.ts')).describe,
      },
      sign: { summary: 'sign a root hash', load: async () => (await import('./verity/sign.ts')).sign },
    },
  },
  fsverity: {
    summary: 'fs-verity: digests and signatures of single files',
    example: 'vouchsafe fsverity digest app.bin',
    verbs: {
      digest: {
        summary: 'print the digest of each file',
        load: async () => (await import('./fsverity/digest.ts')).digest,
      },
      sign: { summary: 'sign the digest of a file', load: async () => (await import('./fsverity/sign.ts')).sign },
      verify: { summary: 'check a signature', load: async () => (await import('./fsverity/verify.ts')).verify },
    },
  },
  image: {
    summary: 'disk images and what is in them: make, look into, verify, compare, take apart',
    example: 'vouchsafe image inspect disk.raw',
    verbs: {
      init: { summary: 'write a first recipe', load: async () => (await import('./image/init.ts')).init },
      build: {
        summary: 'build a disk image and its manifest from a recipe',
        load: async () => (await import('./image/build.ts')).build,
      },
      inspect: {
        summary: 'say what any file is and what is in it',
        load: async () => (await import('./image/inspect.ts')).inspect,
      },
      report: {
        summary: 'say what takes the space of an image',
        load: async () => (await import('./image/report.ts')).report,
      },
      verify: {
        summary: 'check all that a disk image promises',
        load: async () => (await import('./image/verify.ts')).verify,
      },
      diff: {
        summary: 'say what changed from one image to another',
        load: async () => (await import('./image/diff.ts')).diff,
      },
      extract: {
        summary: 'take a partition, files or a section out',
        load: async () => (await import('./image/extract.ts')).extract,
      },
      disk: {
        summary: 'make a disk image from partition definitions',
        load: async () => (await import('./image/disk.ts')).disk,
      },
      sysext: {
        summary: 'make a system extension',
        load: async () => (await import('./image/sysext.ts')).sysext,
      },
      confext: {
        summary: 'make a configuration extension',
        load: async () => (await import('./image/confext.ts')).confext,
      },
      portable: {
        summary: 'make the image of a portable service',
        load: async () => (await import('./image/portable.ts')).portable,
      },
      policy: {
        summary: 'say what an image policy takes',
        load: async () => (await import('./image/policy.ts')).policy,
      },
    },
  },
  uki: {
    summary: 'unified kernel images and addons: build, sign, look into, verify',
    example: 'vouchsafe uki inspect linux.efi',
    verbs: {
      build: {
        summary: 'make an image of a kernel, initrds and what goes with them',
        load: async () => (await import('./uki/build.ts')).build,
      },
      addon: { summary: 'make an addon', load: async () => (await import('./uki/addon.ts')).addon },
      sign: {
        summary: 'sign an image, or any PE file, for Secure Boot',
        load: async () => (await import('./uki/sign.ts')).sign,
      },
      unsign: {
        summary: 'take signatures off an image',
        load: async () => (await import('./uki/unsign.ts')).unsign,
      },
      inspect: {
        summary: 'show what is in an image',
        load: async () => (await import('./uki/inspect.ts')).inspect,
      },
      verify: { summary: 'say whether it would boot', load: async () => (await import('./uki/verify.ts')).verify },
    },
  },
  keys: {
    summary: 'keys of Secure Boot, PCR policies, dm-verity and manifests',
    example: 'vouchsafe keys generate keys',
    verbs: {
      generate: {
        summary: 'make all keys and what machines enrol from',
        load: async () => (await import('./keys/generate.ts')).generate,
      },
      update: {
        summary: 'sign an update of the variables that hold the keys',
        load: async () => (await import('./keys/update.ts')).update,
      },
      enroll: {
        summary: 'put the keys into the variable store of a virtual machine',
        load: async () => (await import('./keys/enroll.ts')).enroll,
      },
    },
  },
  log: {
    summary: 'boot logs: show, replay, compare, explain',
    example: 'vouchsafe log show boot.log',
    verbs: {
      show: { summary: 'show the events of any boot log', load: async () => (await import('./log/show.ts')).show },
      replay: {
        summary: 'compute the PCRs that logs lead to, and compare them',
        load: async () => (await import('./log/replay.ts')).replay,
      },
      diff: {
        summary: 'say which events changed between two boots',
        load: async () => (await import('./log/diff.ts')).diff,
      },
      explain: {
        summary: 'say where each event comes from, by the manifests of images',
        load: async () => (await import('./log/explain.ts')).explain,
      },
    },
  },
  pcr: {
    summary: 'PCR values: what a TPM will hold',
    example: 'vouchsafe pcr predict linux.efi --secure-boot on --pcrs 4,11',
    verbs: {
      predict: {
        summary: 'compute the PCRs that an image leads to',
        load: async () => (await import('./pcr/predict.ts')).predict,
      },
    },
  },
  tpm: {
    summary: 'the local TPM: look, quote, seal, codes',
    example: 'vouchsafe tpm pcrs --pcrs sha256:4,7,11',
    verbs: {
      info: {
        summary: 'say which TPM it is and what is in it',
        load: async () => (await import('./tpm/info.ts')).info,
      },
      pcrs: { summary: 'show the PCRs', load: async () => (await import('./tpm/pcrs.ts')).pcrs },
      events: {
        summary: "show this machine's logs of what was measured",
        load: async () => (await import('./tpm/events.ts')).events,
      },
      quote: { summary: 'have the TPM sign its PCRs', load: async () => (await import('./tpm/quote.ts')).quote },
      ek: {
        summary: 'show and check the certificates of its maker',
        load: async () => (await import('./tpm/ek.ts')).ek,
      },
      seal: { summary: 'seal a secret to this machine', load: async () => (await import('./tpm/seal.ts')).seal },
      unseal: { summary: 'open a sealed secret', load: async () => (await import('./tpm/unseal.ts')).unseal },
      totp: {
        summary: 'a code that only this machine, booted as it was, can show',
        load: async () => (await import('./tpm/totp.ts')).totp,
      },
    },
  },
  lab: {
    summary: 'a machine under emulation: boot an image, tampered with or not',
    example: 'vouchsafe lab boot --tamper help',
    verbs: {
      init: {
        summary: 'write all that a first image needs',
        load: async () => (await import('./lab/init.ts')).init,
      },
      boot: {
        summary: 'boot a disk image with firmware and a TPM of its own, and say how it went',
        load: async () => (await import('./lab/boot.ts')).boot,
      },
    },
  },
  quote: {
    summary: 'quotes of a TPM, offline',
    example:
      'vouchsafe quote verify --ak ak.pem --attest q.attest --signature q.sig --pcrs q.pcrs --nonce 00112233445566778899aabbccddeeff',
    verbs: {
      verify: {
        summary: 'check a quote, and the logs that lead to it',
        load: async () => (await import('./quote/verify.ts')).verify,
      },
    },
  },
  serve: {
    summary: 'the service: machines join and attest, operators decide',
    load: async () => (await import('./serve/serve.ts')).serve,
  },
  agent: {
    summary: "the machine's side: join a service, attest, use what it grants",
    example: 'vouchsafe agent enroll - < token',
    verbs: {
      enroll: { summary: 'join a service', load: async () => (await import('./agent/enroll.ts')).enroll },
      attest: {
        summary: 'prove once what was booted',
        load: async () => (await import('./agent/attest.ts')).attest,
      },
      run: { summary: 'attest whenever the service wants it', load: async () => (await import('./agent/run.ts')).run },
      cert: {
        summary: 'show or renew the client certificate',
        load: async () => (await import('./agent/cert.ts')).cert,
      },
      secret: { summary: 'print a secret', load: async () => (await import('./agent/secret.ts')).secret },
      proxy: {
        summary: 'lend the client certificate to programs that cannot use a TPM',
        load: async () => (await import('./agent/proxy.ts')).proxy,
      },
      bundle: {
        summary: 'write all this as one file, to put into images',
        load: async () => (await import('./agent/bundle.ts')).bundle,
      },
    },
  },
  ...OPERATOR_NOUNS,
};

/** Every command that does something, by its words. */
export const COMMANDS: readonly (readonly [words: readonly string[], entry: VerbEntry])[] = Object.entries(
  NOUNS,
).flatMap(([noun, entry]): (readonly [readonly string[], VerbEntry])[] => {
  if (isSingle(entry)) return [[[noun], entry]];
  return Object.entries(entry.verbs).map(([verb, verbEntry]) => [[noun, verb], verbEntry]);
});
