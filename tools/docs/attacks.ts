// SPDX-License-Identifier: Apache-2.0

/** One known attack. Its number is for good: tests carry it in their names. */
export interface Attack {
  readonly number: number;
  readonly what: string;
  /** Why no test needs to carry it out yet. */
  readonly notYet?: string;
}

const WHAT: readonly string[] = [
  'An old quote is sent again, for another challenge, another machine or a second time',
  'Nonces that repeat or that somebody can guess',
  'A signed structure without the magic that a TPM puts into what it attests',
  'Another attestation of a TPM (of a key, a time, a creation) in the place of a quote',
  'A quote over no PCR at all, with a full list of values beside it',
  'A quote over fewer PCRs than the challenge asked for',
  'PCR values that the quote does not cover, put beside those it does',
  'Two values for one PCR, or one bank twice',
  'Evidence in the SHA-1 bank of a TPM that has a better one',
  'A bank that the firmware never extended, filled in afterwards (“carte blanche”)',
  'A log without digests of the quoted bank',
  'Events given another type, with forged copies of the originals behind them',
  'A separator that is left out, retyped, forged or there twice',
  'A separator with which the firmware reports an error',
  'Data or text of an event that its digest does not cover',
  'A running system extends a boot PCR and continues the log',
  'EV_NO_ACTION events with digests, or told too late, as if they had been extended',
  'A start-up locality that PCR 0 did not start from',
  'An H-CRTM event, after which PCR 0 starts elsewhere',
  'A log that is cut, between events or inside one',
  'Sizes and counts that no honest input has',
  'Events for PCRs that do not exist or are not of this log',
  'Signature lists whose sizes contradict each other',
  'Signature databases other than the firmware measured, or older ones',
  'A boot loader that is revoked, by hash or by SBAT generation',
  'Secure Boot off, in set-up or in audit mode, with all its keys in place',
  'A machine owner’s keys beside those of the image',
  'An attestation key that could leave its TPM or sign anything',
  'An attestation key without proof that it is in that TPM',
  'The endorsement key of one TPM with the attestation key of another',
  'The id of an enrolled machine, asked for by another TPM',
  'Weak keys, schemes and digests, and algorithms that are not the key’s',
  'Endorsement certificates that vouch for nothing: lookalikes, other purposes, other keys, weak generators',
  'A credential that was made for one attestation key, used for another',
  'A TPM’s clock or counters that went back',
  'A resume from sleep passed off as a machine that ran on',
  'A reboot hidden between two attestations',
  'Violations in IMA’s list, passed over',
  'Entries of IMA’s list left out, moved, or of another boot',
  'File names that forge entries of IMA’s list',
  'Programs run from where nobody looks: memory, temporary folders, scripts',
  'A list of IMA’s that does not begin with the PCRs of this boot',
  'A verity device with another root hash, or one that is tampered with later',
  'A dynamic launch that never was',
  'A dynamic launch of something with known faults, or that nobody knows',
  'Evidence of one machine, presented by another (“cuckoo”)',
  'A proxy between machine and service that keeps what was granted',
  'Another root file system behind an honest boot',
  'Another encrypted volume in the place of the machine’s own',
  'Addons, command lines, credentials and extensions beside the image',
  'A signature for one phase of the boot, used in another',
  'An older image, properly signed',
  'Evidence that makes the verifier fail',
  'One good quote that makes a failure forgotten',
  'No policy, no reference, or one that permits everything',
  'Bodies, logs and connections that use up the service',
  'Operators’ routes without an operator’s credential',
  'Names and texts that forge lines of a log or of a terminal',
  'References, policies or the device itself changed while evidence is looked at',
  'Reports of confidential machines: debugging, other chips, old firmware',
  'A TPM’s one-time code shown although the machine has changed',
  'Clocks of the service that are wrong',
  'A proxy’s header, sent by somebody who is no proxy',
];

const NOT_YET: Readonly<Record<number, string>> = {
  60: 'reports of confidential machines are not appraised: nothing is granted for one',
};

export const ATTACKS: readonly Attack[] = WHAT.map((what, i) => {
  const number = i + 1;
  const notYet = NOT_YET[number];
  return { number, what, ...(notYet === undefined ? {} : { notYet }) };
});
