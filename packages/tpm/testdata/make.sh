#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes quote/ and policy/ with a software TPM; see PROVENANCE.md. Needs swtpm, tpm2-tools and openssl.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
mkdir state
swtpm socket --tpm2 --tpmstate dir="$work/state" --server type=unixio,path="$work/tpm.sock" --ctrl type=unixio,path="$work/tpm.sock.ctrl" \
  --flags not-need-init,startup-clear --daemon --pid file="$work/pid"
trap 'kill "$(cat pid)" 2>/dev/null || true; rm -rf "$work"' EXIT
export TPM2TOOLS_TCTI="swtpm:path=$work/tpm.sock"
printf 'vouchsafe-nonce-0001' > nonce.bin
nonce=$(od -An -tx1 nonce.bin | tr -d ' \n')
tpm2_pcrextend 7:sha256=1111111111111111111111111111111111111111111111111111111111111111
tpm2_pcrextend 11:sha256=2222222222222222222222222222222222222222222222222222222222222222
tpm2_createek -Q -G ecc -c ek.ctx -u ek.pub
for kind in ecc-ecdsa rsa-rsassa rsa-rsapss; do
  tpm2_flushcontext -t; tpm2_flushcontext -l || true
  tpm2_createak -Q -C ek.ctx -c ak.ctx -G "${kind%-*}" -g sha256 -s "${kind#*-}" -u "$kind.pub" -f tss -n "$kind.name"
  tpm2_flushcontext -t
  tpm2_readpublic -Q -c ak.ctx -f pem -o "$kind.pem"
  tpm2_flushcontext -t
  tpm2_quote -Q -c ak.ctx -l sha256:0,7,11 -q "$nonce" -m "$kind.attest" -s "$kind.sig" -o "$kind.pcrs" -g sha256 --scheme="${kind#*-}"
  # tpm2_checkquote 5.4 cannot check RSASSA-PSS.
  test "$kind" = rsa-rsapss ||
    tpm2_checkquote -Q -u "$kind.pem" -m "$kind.attest" -s "$kind.sig" -f "$kind.pcrs" -q "$nonce" -g sha256
done
tpm2_flushcontext -t
umask 022
cp nonce.bin ./*-*.pub ./*-*.name ./*-*.pem ./*-*.attest ./*-*.sig ./*-*.pcrs "$here/quote/"

openssl genrsa -out signer.key 2048 2>/dev/null
openssl rsa -in signer.key -pubout -out signer.pem 2>/dev/null
tpm2_loadexternal -Q -C o -G rsa -u signer.pem -c signer.ctx -n signer.name
tpm2_flushcontext -t
printf 'initrd' > ref.bin
tpm2_startauthsession -S session.ctx
tpm2_policypcr -Q -S session.ctx -l sha256:7,11 -L pcr.policy
tpm2_flushcontext session.ctx
tpm2_startauthsession -S session.ctx
tpm2_policyauthorize -Q -S session.ctx -i pcr.policy -n signer.name -q "$(od -An -tx1 ref.bin | tr -d ' \n')" -L authorize.policy
tpm2_flushcontext session.ctx
tpm2_readpublic -Q -c signer.ctx -o signer.pub -f tss || tpm2_print -t TPM2B_PUBLIC signer.pub
cp signer.pem signer.name signer.pub ref.bin pcr.policy authorize.policy "$here/policy/"
