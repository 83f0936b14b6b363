// SPDX-License-Identifier: Apache-2.0
import type { Noun } from './noun-entry.ts';

/** What operators do with a service, over its interface: a part of the table in noun.ts. */
export const OPERATOR_NOUNS: Readonly<Record<string, Noun>> = {
  token: {
    summary: 'leave to join, for one machine each',
    example: 'vouchsafe token create --device web-1',
    verbs: {
      create: {
        summary: 'make a token with which a machine may join',
        load: async () => (await import('./token/create.ts')).create,
      },
      list: {
        summary: 'list the tokens',
        load: async () => (await import('./token/list.ts')).list,
      },
      revoke: {
        summary: 'take a token back',
        load: async () => (await import('./token/revoke.ts')).revoke,
      },
    },
  },
  trust: {
    summary: 'whose certificates are trusted, and for what',
    example: 'vouchsafe trust list',
    verbs: {
      add: {
        summary: 'trust the certificates of files',
        load: async () => (await import('./trust/add.ts')).add,
      },
      import: {
        summary: 'trust all certificates of a folder or bundle',
        load: async () => (await import('./trust/import.ts')).importVerb,
      },
      list: {
        summary: 'list who is trusted',
        load: async () => (await import('./trust/list.ts')).list,
      },
      remove: {
        summary: 'trust a certificate no longer',
        load: async () => (await import('./trust/remove.ts')).remove,
      },
    },
  },
  inventory: {
    summary: 'machines that may join because they were registered',
    example: 'vouchsafe inventory list',
    verbs: {
      add: {
        summary: 'register a machine',
        load: async () => (await import('./inventory/add.ts')).add,
      },
      list: {
        summary: 'list the registrations',
        load: async () => (await import('./inventory/list.ts')).list,
      },
      remove: {
        summary: 'take a registration back',
        load: async () => (await import('./inventory/remove.ts')).remove,
      },
    },
  },
  operator: {
    summary: 'who may use the service',
    example: 'vouchsafe operator list',
    verbs: {
      create: {
        summary: 'let somebody use the service',
        load: async () => (await import('./operator/create.ts')).create,
      },
      list: {
        summary: 'list who may use it',
        load: async () => (await import('./operator/list.ts')).list,
      },
      remove: {
        summary: 'shut somebody out',
        load: async () => (await import('./operator/remove.ts')).remove,
      },
    },
  },
  device: {
    summary: 'the machines of a service: how they stand, and why',
    example: 'vouchsafe device list',
    verbs: {
      list: {
        summary: 'list the machines',
        load: async () => (await import('./device/list.ts')).list,
      },
      show: {
        summary: 'show one machine and why it stands so',
        load: async () => (await import('./device/show.ts')).show,
      },
      log: {
        summary: 'write the boot log of a machine to a file',
        load: async () => (await import('./device/log.ts')).log,
      },
      approve: {
        summary: 'let a machine in that waits or is quarantined',
        load: async () => (await import('./device/approve.ts')).approve,
      },
      quarantine: {
        summary: 'shut a machine out',
        load: async () => (await import('./device/quarantine.ts')).quarantine,
      },
      clear: {
        summary: 'forget a failure',
        load: async () => (await import('./device/clear.ts')).clear,
      },
      pin: {
        summary: 'vouch for what identifies its system (PCR 15)',
        load: async () => (await import('./device/pin.ts')).pin,
      },
      certificates: {
        summary: 'list its certificates',
        load: async () => (await import('./device/certificates.ts')).certificates,
      },
      revoke: {
        summary: 'revoke its certificates',
        load: async () => (await import('./device/revoke.ts')).revoke,
      },
      reset: {
        summary: 'let the same TPM enrol anew',
        load: async () => (await import('./device/reset.ts')).reset,
      },
      remove: {
        summary: 'forget a machine',
        load: async () => (await import('./device/remove.ts')).remove,
      },
    },
  },
  reference: {
    summary: 'the images that machines may boot',
    example: 'vouchsafe reference list',
    verbs: {
      add: {
        summary: 'add manifests',
        load: async () => (await import('./reference/add.ts')).add,
      },
      list: {
        summary: 'list the images',
        load: async () => (await import('./reference/list.ts')).list,
      },
      activate: {
        summary: 'take an image for good',
        load: async () => (await import('./reference/activate.ts')).activate,
      },
      retire: {
        summary: 'say until when an image is good',
        load: async () => (await import('./reference/retire.ts')).retire,
      },
      revoke: {
        summary: 'take an image for bad',
        load: async () => (await import('./reference/revoke.ts')).revoke,
      },
      floor: {
        summary: 'say which version is the oldest that is good',
        load: async () => (await import('./reference/floor.ts')).floor,
      },
    },
  },
  baseline: {
    summary: 'what the firmware of each model measures',
    example: 'vouchsafe baseline list',
    verbs: {
      learn: {
        summary: 'take what a machine measured as a baseline',
        load: async () => (await import('./baseline/learn.ts')).learn,
      },
      import: {
        summary: 'take a vendor’s log, or components of systemd-pcrlock, as a baseline',
        load: async () => (await import('./baseline/import.ts')).importBaseline,
      },
      list: {
        summary: 'list the baselines',
        load: async () => (await import('./baseline/list.ts')).list,
      },
      approve: {
        summary: 'take such firmware for good',
        load: async () => (await import('./baseline/approve.ts')).approve,
      },
      revoke: {
        summary: 'take such firmware for good no longer',
        load: async () => (await import('./baseline/revoke.ts')).revoke,
      },
    },
  },
  policy: {
    summary: 'policies: whom to trust, by the facts of an appraisal',
    example: 'vouchsafe policy show',
    verbs: {
      set: {
        summary: 'give a policy a new version',
        load: async () => (await import('./policy/set.ts')).set,
      },
      activate: {
        summary: 'let a draft or an earlier version decide',
        load: async () => (await import('./policy/activate.ts')).activate,
      },
      show: {
        summary: 'print the built-in policy, one of the service, or the facts that there are',
        load: async () => (await import('./policy/show.ts')).show,
      },
      list: {
        summary: 'list the policies',
        load: async () => (await import('./policy/list.ts')).list,
      },
      test: {
        summary: 'try a policy on recorded evidence',
        load: async () => (await import('./policy/test.ts')).test,
      },
    },
  },
  secret: {
    summary: 'secrets that machines get while they are good',
    example: 'vouchsafe secret list',
    verbs: {
      put: {
        summary: 'give a secret, or a new version of one',
        load: async () => (await import('./secret/put.ts')).put,
      },
      list: {
        summary: 'list the secrets',
        load: async () => (await import('./secret/list.ts')).list,
      },
      show: {
        summary: 'show its versions and its policy',
        load: async () => (await import('./secret/show.ts')).show,
      },
      delete: {
        summary: 'delete a secret',
        load: async () => (await import('./secret/delete.ts')).deleteVerb,
      },
    },
  },
  audit: {
    summary: 'the record of what happened, which cannot be changed unseen',
    example: 'vouchsafe audit verify',
    verbs: {
      verify: {
        summary: 'prove that nothing was altered or removed',
        load: async () => (await import('./audit/verify.ts')).verify,
      },
      prove: {
        summary: "prove that a machine's verdict is the one recorded",
        load: async () => (await import('./audit/prove.ts')).prove,
      },
      export: {
        summary: 'write it to a file',
        load: async () => (await import('./audit/export.ts')).exportVerb,
      },
    },
  },
  webhook: {
    summary: 'who is told of events',
    example: 'vouchsafe webhook list',
    verbs: {
      add: {
        summary: 'tell a URL of events',
        load: async () => (await import('./webhook/add.ts')).add,
      },
      list: {
        summary: 'list who is told',
        load: async () => (await import('./webhook/list.ts')).list,
      },
      remove: {
        summary: 'tell somebody no longer',
        load: async () => (await import('./webhook/remove.ts')).remove,
      },
    },
  },
};
