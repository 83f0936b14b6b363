// SPDX-License-Identifier: Apache-2.0
import { ManifestError } from './error.ts';
import type { BootCondition, Manifest, ManifestBoot } from './format/schema.ts';

/**
 * The boots of a manifest under these conditions, as far as they are given.
 * @throws {ManifestError} 'condition_unknown' when there is none.
 */
export function bootsUnder({ name, version, boots }: Manifest, wanted: Partial<BootCondition>): ManifestBoot[] {
  const found = boots.filter(({ condition }) =>
    Object.entries(wanted).every(([key, value]) => condition[key as keyof BootCondition] === value),
  );
  if (found.length > 0) return found;
  const asked = conditionText(wanted) || 'any condition';
  const known = boots.map(({ condition }) => conditionText(condition)).join('; ');
  throw new ManifestError('condition_unknown', `${name} ${version}: expected a boot with ${asked}, found ${known}`);
}

/** For people: 'Secure Boot on, loader systemd-boot 252.39'. */
export function conditionText({ secureBoot, loader, shim, profile, commandLine }: Partial<BootCondition>): string {
  return [
    secureBoot === undefined ? '' : `Secure Boot ${secureBoot}`,
    shim === undefined ? '' : `by way of ${shim}`,
    loader === undefined ? '' : loader === 'none' ? 'no boot loader' : `loader ${loader}`,
    profile === undefined || profile === 0 ? '' : `profile ${profile}`,
    commandLine === undefined ? '' : 'another command line',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
