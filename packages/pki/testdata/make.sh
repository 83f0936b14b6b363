#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes everything in this folder anew: new keys, so new bytes. Needs OpenSSL 3. Run it in this folder.
set -e
mkdir -p keys certificates cms

genpkey() { name=$1; shift; openssl genpkey -quiet "$@" -out "keys/$name.test-only.key"; }
genpkey rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
genpkey other-rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
genpkey p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
genpkey p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
genpkey ed25519 -algorithm ED25519
openssl pkcs8 -topk8 -in keys/p256.test-only.key -passout pass:test-only -out keys/p256-encrypted.test-only.key

# 100 years: notBefore is a UTCTime and notAfter a GeneralizedTime.
certify() { key=$1; name=$2; shift 2; openssl req -x509 -key "keys/$key.test-only.key" -days 36500 -out "certificates/$name.pem" "$@"; }
certify rsa rsa -subj '/CN=test-only rsa'
certify other-rsa other-rsa -subj '/CN=test-only other rsa'
certify p256 p256 -subj '/CN=test-only p256'
certify p384 p384 -sha384 -subj '/CN=test-only p384'
certify ed25519 ed25519 -subj '/CN=test-only ed25519'
certify rsa rsa-pss -subj '/CN=test-only rsa-pss' -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
certify p256 extensions -set_serial 0x00ff000000000000000000000000000000000001 \
  -subj '/C=DE/O=Löwe \, Söhne/OU=a+OU=b/CN= #leading and trailing /emailAddress=a@example.com' -utf8 -multivalue-rdn \
  -addext 'keyUsage=critical,digitalSignature,keyCertSign,decipherOnly' \
  -addext 'extendedKeyUsage=clientAuth,1.2.3.4' \
  -addext 'subjectAltName=DNS:host.example,IP:192.0.2.1,URI:urn:x,email:a@example.com,otherName:1.2.3;UTF8:x,dirName:dir' \
  -addext 'nsComment=unknown here' -config extensions.cnf
openssl x509 -in certificates/rsa.pem -outform der -out certificates/rsa.der
cat certificates/p256.pem certificates/p384.pem > certificates/bundle.pem

printf 'content to sign' > cms/content.txt
smime() { openssl smime -sign -binary -in cms/content.txt -outform der -signer certificates/rsa.pem -inkey keys/rsa.test-only.key "$@"; }
smime -noattr -out cms/rsa-noattr.der
smime -noattr -nocerts -out cms/rsa-noattr-nocerts.der
smime -nodetach -noattr -out cms/rsa-attached.der
smime -out cms/rsa-attributes.der
smime -md sha1 -noattr -out cms/rsa-sha1.der
cms() { key=$1; shift; openssl cms -sign -binary -in cms/content.txt -outform der -signer "certificates/$key.pem" -inkey "keys/$key.test-only.key" "$@"; }
cms p256 -out cms/p256-attributes.der
cms p256 -keyid -noattr -out cms/p256-key-identifier.der
cms p384 -md sha384 -noattr -out cms/p384-noattr.der
cms rsa -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32 -out cms/rsa-pss.der
cms rsa -signer certificates/p256.pem -inkey keys/p256.test-only.key -out cms/two-signers.der
cms rsa -nodetach -econtent_type 1.2.3.4 -out cms/other-content-type.der
