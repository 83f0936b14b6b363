// SPDX-License-Identifier: Apache-2.0
import { KEY_ROLES, type KeyRole } from './key-roles.ts';

/** What the folder says of itself. */
export function readmeText(about: {
  readonly owner: string;
  readonly notAfterMs: number;
  readonly isEncrypted: boolean;
}): string {
  const roles: readonly KeyRole[] = Object.values(KEY_ROLES);
  return `Keys made by \`vouchsafe keys generate\`
=====================================

Certificates end on ${new Date(about.notAfterMs).toISOString().slice(0, 10)}; firmware does not look at that date, other programs do.
The keys are ${about.isEncrypted ? 'encrypted with the pass phrase that was given' : 'NOT encrypted: whoever reads this folder has them'}.
Owner of the entries in the firmware's variables: ${about.owner}

${roles.map(({ name, purpose, keeping }) => `${name}.key, ${name}.crt\n    ${purpose}.\n    ${keeping}`).join('\n\n')}

pcr.pub, manifest.pub
    public halves, for ukify, systemd-cryptenroll and others that want no certificate.

PK.esl, KEK.esl, db.esl (and dbx.esl, where something is forbidden)
    what the variables hold, as signature lists: for setup screens and tools that take them without a signature.

PK.auth, KEK.auth, db.auth (dbx.auth), and the same in loader/keys/auto/
    signed updates: for setup screens, efi-updatevar and systemd-boot. Copy loader/ to the EFI system partition: on a
    machine in setup mode, systemd-boot then enrols them by itself where that is safe (virtual machines) and offers it in
    its menu elsewhere. \`secure-boot-enroll force\` in loader.conf enrols them everywhere, also where option ROMs that
    Microsoft has signed do not start any more (see --microsoft).

Before you enrol
----------------
Move PK.key and KEK.key to a medium that is not connected to anything, and delete them here. Machines keep working without
them. Losing them means going to each machine's setup screen to exchange a key; somebody else having them means that their
keys can become the machine's. Nothing in this folder but *.key is secret.

Later
-----
\`vouchsafe keys update\` signs with KEK.key what machines are to trust as well (db --append), or are no longer to start
(dbx --append).
`;
}
