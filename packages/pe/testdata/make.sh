#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes everything in this folder anew: a new key, so new bytes. Needs OpenSSL 3, sbsigntool, osslsigncode, efitools and
# Node.js 24. Run it in this folder.
set -e
export TZ=UTC
mkdir -p keys
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out keys/signer.test-only.key
openssl req -x509 -key keys/signer.test-only.key -days 36500 -out signer.pem -subj '/CN=test-only signer'
node -e "import('../test/made-pe.ts').then((m) => require('node:fs').writeFileSync('made.efi', m.madeBytes()))"
sbsign --key keys/signer.test-only.key --cert signer.pem --output made.sbsign.efi made.efi
rm -f made.osslsigncode.efi
osslsigncode sign -certs signer.pem -key keys/signer.test-only.key -h sha256 -time 1700000000 -in made.efi -out made.osslsigncode.efi
cert-to-efi-sig-list -g 55c96959-7948-4709-85a5-aff5393936a4 signer.pem db.esl
sign-efi-sig-list -t '2024-01-02 03:04:05' -g d719b2cb-3d3a-4596-a3bc-dad00e67656f \
  -k keys/signer.test-only.key -c signer.pem db db.esl db.auth
