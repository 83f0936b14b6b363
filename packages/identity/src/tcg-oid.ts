// SPDX-License-Identifier: Apache-2.0

/** TCG OID Registry; the names are those of the EK and platform certificate profiles. */
export const TCG_OID = {
  // tcg-at: attributes of a TPM, in the EK certificate's subjectAltName
  tpmManufacturer: '2.23.133.2.1',
  tpmModel: '2.23.133.2.2',
  tpmVersion: '2.23.133.2.3',
  // and of a platform, as in version 1.0
  platformManufacturer: '2.23.133.2.4',
  platformModel: '2.23.133.2.5',
  platformVersion: '2.23.133.2.6',
  tpmSpecification: '2.23.133.2.16',
  platformSpecification: '2.23.133.2.17',
  tbbSecurityAssertions: '2.23.133.2.19',
  // in early platform certificates also the serial number
  credentialSpecification: '2.23.133.2.23',
  credentialType: '2.23.133.2.25',
  // tcg-paa: attributes of a platform since version 1.1
  platformManufacturerStr: '2.23.133.5.1.1',
  platformManufacturerId: '2.23.133.5.1.2',
  platformConfigUri: '2.23.133.5.1.3',
  platformModel11: '2.23.133.5.1.4',
  platformVersion11: '2.23.133.5.1.5',
  platformSerial: '2.23.133.5.1.6',
  platformConfiguration1: '2.23.133.5.1.7.1',
  platformConfiguration2: '2.23.133.5.1.7.2',
  platformConfiguration3: '2.23.133.5.1.7.3',
  // tcg-kp: what a certificate is for
  platformAttributeCertificate: '2.23.133.8.2',
  platformKeyCertificate: '2.23.133.8.4',
  deltaPlatformAttributeCertificate: '2.23.133.8.5',
  deltaPlatformKeyCertificate: '2.23.133.8.6',
  // tcg-tr: traits
  traitComponentIdentifier11: '2.23.133.19.1.5',
} as const;
