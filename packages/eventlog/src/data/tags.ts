// SPDX-License-Identifier: Apache-2.0

/** Who uses a number in an EV_EVENT_TAG, and for what. */
export interface TagMeaning {
  readonly writer: 'linux' | 'systemd';
  readonly what:
    | 'kernel command line'
    | 'initrd'
    | 'loader.conf'
    | 'devicetree addon'
    | 'initrd addon'
    | 'microcode addon'
    | 'profile'
    | 'SMBIOS';
}

/**
 * The tags that Linux and systemd define. Linux: include/linux/efi.h (INITRD_EVENT_TAG_ID, LOAD_OPTIONS_EVENT_TAG_ID).
 * systemd: src/fundamental/tpm2-pcr.h, and as measured by stubs 255 to 262.
 */
const TAGS: Readonly<Record<number, TagMeaning>> = {
  2403017452: { writer: 'linux', what: 'initrd' },
  2403017453: { writer: 'linux', what: 'kernel command line' },
  4122761258: { writer: 'systemd', what: 'loader.conf' },
  1816590161: { writer: 'systemd', what: 'devicetree addon' },
  1239416335: { writer: 'systemd', what: 'initrd addon' },
  3670052378: { writer: 'systemd', what: 'microcode addon' },
  330225371: { writer: 'systemd', what: 'profile' },
};

/** What a tag means, as far as known; systemd's SMBIOS events are known by their text, 'smbios:type1'. */
export function tagMeaning(tag: number, text: string | undefined): TagMeaning | undefined {
  return TAGS[tag] ?? (text?.startsWith('smbios:') ? { writer: 'systemd', what: 'SMBIOS' } : undefined);
}
