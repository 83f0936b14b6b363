#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes everything in this folder anew: a new key, so new bytes. Needs OpenSSL 3. Run it in this folder.
set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout test-only.key -out test-only.pem -days 36500 -subj '/CN=test-only verity'

root_hash=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
sign() { openssl smime -sign -binary -noattr -outform der -signer test-only.pem -inkey test-only.key "$@"; }
printf %s "$root_hash" | sign -out root-hash.p7s

# "FSVerity", le16 1 (SHA-256), le16 32, then the same 32 octets as the digest.
{ printf 'FSVerity\001\000\040\000'; printf %s "$root_hash" | xxd -r -p; } > formatted-digest.bin
sign -nocerts -in formatted-digest.bin -out fs-verity.p7s

fingerprint=$(openssl x509 -in test-only.pem -outform der | sha256sum | cut -d ' ' -f 1)
printf '{"rootHash":"%s","certificateFingerprint":"%s","signature":"%s"}' \
  "$root_hash" "$fingerprint" "$(openssl base64 -A -in root-hash.p7s)" > verity-sig.json
