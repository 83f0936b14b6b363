#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The only program of the lab's root: hands out what this boot measured, and a quote of it, and switches the machine off.
export PATH=/bin TPM2TOOLS_TCTI=device:/dev/tpmrm0
exec >/dev/console 2>&1 </dev/console
mount -t tmpfs tmpfs /run
mount -t securityfs securityfs /sys/kernel/security
mkdir -p /run/results
cd /run/results || exit 1

cat /proc/cmdline >cmdline
cat /sys/kernel/security/tpm0/binary_bios_measurements >firmware.log
[ -f /sys/kernel/security/ima/binary_runtime_measurements ] && cat /sys/kernel/security/ima/binary_runtime_measurements >ima.log
for bank in sha1 sha256 sha384; do
  [ -d /sys/class/tpm/tpm0/pcr-$bank ] || continue
  for pcr in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do
    echo "$bank $pcr $(cat /sys/class/tpm/tpm0/pcr-$bank/$pcr)"
  done
done >pcrs

nonce=
for word in $(cat /proc/cmdline); do
  case $word in
    vouchsafe.nonce=*) nonce=${word#vouchsafe.nonce=} ;;
  esac
done
echo "vouchsafe-guest: quoting"
tpm2_createek -Q -c /run/ek.ctx -G rsa -u ek.pub &&
  tpm2_createak -Q -C /run/ek.ctx -c /run/ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -n ak.name &&
  tpm2_quote -Q -c /run/ak.ctx -l sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -q "${nonce:-00}" -m quote.attest -s quote.signature -g sha256 ||
  echo 'vouchsafe-guest: no quote'

# What systemd-pcrextend does as the system comes up, and the policy that this TPM then computes: a line for each phase.
phase=
for word in enter-initrd leave-initrd sysinit ready; do
  printf %s "$word" >/run/word
  tpm2_pcrevent -Q 11 /run/word &&
    tpm2_startauthsession -S /run/policy.ctx &&
    tpm2_policypcr -Q -S /run/policy.ctx -l sha256:11 -L /run/policy &&
    tpm2_flushcontext /run/policy.ctx || break
  phase=$phase${phase:+:}$word
  echo "$phase $(cat /sys/class/tpm/tpm0/pcr-sha256/11) $(od -An -tx1 -v /run/policy | tr -d ' \n')"
done >phases

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = vouchsafe.results ] || continue
  find . -type f | cpio -o -H newc >"/dev/${port##*/}" && echo 'vouchsafe-guest: reported'
done
sync
poweroff -f
sleep 60
