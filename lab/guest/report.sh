#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs as root in a guest of the lab, when its system is up: takes orders, collects what this boot has measured with a quote of
# it, hands that out, and switches the machine off. Needs a shell, cat, find, cpio, od and tr; tpm2-tools for the quote.
export TPM2TOOLS_TCTI=device:/dev/tpmrm0
console=/dev/console
results=/run/results
mkdir -p $results
cd $results || exit 1

# Whoever started the machine may have something done first; it answers with lines for the shell, the last one being 'report'.
# Asked more than once, as what the kernel says at the same time can tear a question apart.
asked=0
order=
while [ "$order" != report ] && [ $asked -lt 6 ]; do
  asked=$((asked + 1))
  echo 'vouchsafe-guest: orders?' >$console
  while read -r -t 10 order; do
    [ "$order" = report ] && break
    sh -c "$order" >>orders.output 2>&1 </dev/null
    echo "$? $order" >>orders
  done
done <$console

cat /proc/cmdline >cmdline
cat /sys/kernel/security/tpm0/binary_bios_measurements >firmware.log
nonce=
for word in $(cat /proc/cmdline); do
  case $word in
    vouchsafe.nonce=*) nonce=${word#vouchsafe.nonce=} ;;
  esac
done
if command -v tpm2_quote >/dev/null; then
  echo 'vouchsafe-guest: quoting' >$console
  # Of elliptic curves, as an RSA key takes the TPM seconds to find.
  tpm2_createek -Q -c /run/ek.ctx -G ecc -u ek.pub &&
    tpm2_createak -Q -C /run/ek.ctx -c /run/ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -n ak.name &&
    tpm2_quote -Q -c /run/ak.ctx -l sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -q "${nonce:-00}" -m quote.attest -s quote.signature -g sha256 ||
    echo 'vouchsafe-guest: no quote' >$console
fi

# Behind the quote, as an agent does it: by now a kernel that measures files has measured all that is used here.
[ -f /sys/kernel/security/ima/binary_runtime_measurements ] && cat /sys/kernel/security/ima/binary_runtime_measurements >ima.log
for bank in sha1 sha256 sha384; do
  [ -d /sys/class/tpm/tpm0/pcr-$bank ] || continue
  for pcr in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do
    read -r value </sys/class/tpm/tpm0/pcr-$bank/$pcr && echo "$bank $pcr $value"
  done
done >pcrs

# What systemd-pcrextend does as the system comes up, and the policy that this TPM then computes: a line for each phase. Where
# systemd itself runs, it has done so already. Takes longer than all the rest: an order asks for it, `: >/run/phases`.
if [ -f /run/phases ]; then
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
fi

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = vouchsafe.results ] || continue
  find . -type f | cpio -o -H newc >"/dev/${port##*/}" && echo 'vouchsafe-guest: reported' >$console
done
sync
poweroff -f
sleep 60
