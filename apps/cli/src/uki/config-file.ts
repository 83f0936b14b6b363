// SPDX-License-Identifier: Apache-2.0
// Settings of a build in a file, by the keys of ukify's configuration (ukify(1), "CONFIGURATION SETTINGS").
import { parseUtf8 } from '@vouchsafe/base';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { readSmallFile } from '../parse.ts';
import { UsageError } from '../usage-error.ts';
import { collectBanks, collectPhases } from './build-options.ts';
import type { BuildOptions } from './build-settings.ts';
import { isEfiArch } from './content-options.ts';
import { type IniSetting, parseIni } from './ini-file.ts';

type Settings = { -readonly [K in keyof BuildOptions]?: BuildOptions[K] };

/** What a setting adds to those before it. */
type Apply = (settings: Settings, value: string) => void;

const one =
  (property: keyof Settings & string): Apply =>
  (settings, value) => {
    Object.assign(settings, { [property]: value });
  };
/** Several between white space. */
const words =
  (property: 'initrd' | 'devicetreeAuto' | 'efifw'): Apply =>
  (settings, value) => {
    settings[property] = [...(settings[property] ?? []), ...value.split(/\s+/)];
  };
const more =
  (property: 'sbat' | 'pcrPrivateKey' | 'pcrPublicKey'): Apply =>
  (settings, value) => {
    settings[property] = [...(settings[property] ?? []), value];
  };

const UKI_KEYS: Readonly<Record<string, Apply>> = {
  Linux: one('linux'),
  OSRelease: one('osRelease'),
  Cmdline: one('cmdline'),
  Initrd: words('initrd'),
  Microcode: one('microcode'),
  Splash: one('splash'),
  DeviceTree: one('devicetree'),
  DeviceTreeAuto: words('devicetreeAuto'),
  Firmware: words('efifw'),
  HWIDs: one('hwids'),
  Uname: one('uname'),
  SBAT: more('sbat'),
  PCRPKey: one('pcrpkey'),
  Profile: one('profile'),
  Stub: one('stub'),
  EFIArch: (settings, value) => {
    if (!isEfiArch(value)) throw new InvalidArgumentError(`unknown architecture ${value}`);
    settings.efiArch = value;
  },
  PCRBanks: (settings, value) => {
    settings.pcrBanks = collectBanks(value);
  },
  SecureBootPrivateKey: one('securebootPrivateKey'),
  SecureBootCertificate: one('securebootCertificate'),
  SignKernel: (settings, value) => {
    if (isYes(value)) settings.signKernel = true;
  },
  // All signing is done here, in the form that these tools write.
  SecureBootSigningTool: (_, value) => {
    if (!/^(sbsign|systemd-sbsign)$/.test(value))
      throw new InvalidArgumentError('name a key with SecureBootPrivateKey=');
  },
};

const PCR_KEYS: Readonly<Record<string, Apply>> = {
  PCRPrivateKey: more('pcrPrivateKey'),
  PCRPublicKey: more('pcrPublicKey'),
  Phases: (settings, value) => {
    settings.phases = collectPhases(value, settings.phases);
  },
};

function isYes(value: string): boolean {
  if (/^(1|true|yes|y|t|on)$/i.test(value)) return true;
  if (/^(0|false|no|n|f|off)$/i.test(value)) return false;
  throw new InvalidArgumentError(`expected yes or no, found ${value}`);
}

/**
 * The options with the settings of the file that --config names: what the command line says as well it says alone, but for
 * initrds, device trees, firmware and keys of policies, which follow those of the file.
 * @throws {UsageError} for a setting that is not known here: one that is passed over could leave an image unsigned.
 */
export function withConfigFile(options: BuildOptions): BuildOptions {
  if (options.config === undefined) return options;
  const settings: Settings = {};
  for (const setting of parseIni(parseUtf8(readSmallFile(options.config)), options.config)) {
    applyTo(settings, setting, options.config);
  }
  const joined = Object.fromEntries(
    (['initrd', 'devicetreeAuto', 'efifw', 'pcrPrivateKey', 'pcrPublicKey', 'phases'] as const).flatMap((name) => {
      const [own = [], given = []] = [settings[name], options[name]];
      return own.length + given.length === 0 ? [] : [[name, [...own, ...given]]];
    }),
  );
  return { ...settings, ...options, ...joined };
}

function applyTo(settings: Settings, { section, key, value, line }: IniSetting, path: string): void {
  const keys = section === 'UKI' ? UKI_KEYS : /^PCRSignature:[^:]+$/.test(section) ? PCR_KEYS : {};
  const where = `${path}, line ${line}`;
  if (!Object.hasOwn(keys, key)) {
    throw new UsageError(`${where}: [${section}] ${key}= is not known here; ${insteadOf(key)}`);
  }
  try {
    keys[key]?.(settings, value);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`${where}: ${key}=: ${error.message}`);
  }
}

function insteadOf(key: string): string {
  if (/^(SigningEngine|SigningProvider|CertificateProvider|SecureBootCertificate(Dir|Name))$/.test(key)) {
    return 'keys that are no files sign by --sign-command';
  }
  return 'take it out';
}
