// SPDX-License-Identifier: Apache-2.0

/** What % and a letter mean; a letter that is not here is refused. */
export type Specifiers = Readonly<Record<string, string>>;

/**
 * The specifiers of repart.d(5) that depend on what goes into the image, and not on the machine that makes it.
 * @param release the fields of the image's os-release.
 * @param architecture by systemd's name.
 */
export function imageSpecifiers(release: ReadonlyMap<string, string>, architecture: string): Specifiers {
  const fields = { A: 'IMAGE_VERSION', B: 'BUILD_ID', M: 'IMAGE_ID', o: 'ID', w: 'VERSION_ID', W: 'VARIANT_ID' };
  return {
    a: architecture,
    ...Object.fromEntries(Object.entries(fields).map(([letter, field]) => [letter, release.get(field) ?? ''])),
  };
}

/** @throws {RangeError} for a specifier that is not known, or has no value: a label would be less than it says. */
export function expandSpecifiers(text: string, specifiers: Specifiers): string {
  return text.replace(/%(.?)/gs, (_all, letter: string) => {
    if (letter === '%') return '%';
    const value = Object.hasOwn(specifiers, letter) ? specifiers[letter] : undefined;
    if (value === undefined) throw new RangeError(`%${letter} is not known here; write what it stands for`);
    if (value === '') throw new RangeError(`%${letter} has no value: the os-release of the image does not say it`);
    return value;
  });
}
