# SPDX-License-Identifier: Apache-2.0
# A writable /var in a LUKS2 volume. Its only key is sealed in the TPM to the key that signs this image's PCR policies: it
# opens while the initrd of an image with such a signature runs, on this machine, and nowhere else.

signatures=/run/systemd/tpm2-pcr-signature.json
policy_key=/run/systemd/tpm2-pcr-public-key.pem

mount_var() {
  has_tpm || refuse 'the encrypted /var needs a TPM 2.0'
  for file in $signatures $policy_key; do
    [ -f "$file" ] || refuse "the image has no ${file##*/}, which the encrypted /var opens by"
  done
  set -- $(find_type "$verity_disk" 4d21b016b53445c2a9fb5c16e091fd2d)
  [ $# = 1 ] || refuse "$# partitions for /var on $verity_disk, one is expected"
  if ! cryptsetup isLuks --type luks2 "$1"; then
    # Only what was never written is taken. An attacker can empty it, and gets an empty one.
    [ -z "$(dd if="$1" bs=65536 count=1 2>/dev/null | tr -d '\000' | od -A n -N 1)" ] ||
      refuse "$1: neither empty nor a LUKS2 volume"
    make_var "$1"
  elif [ "$(label_of "$1")" = "$UNFINISHED" ]; then
    make_var "$1"
  else
    open_var "$1"
  fi
  measure_var "$1"
  mount -t ext4 -o nodev /dev/mapper/var /sysroot/var || refuse '/var cannot be mounted'
  echo 'vouchsafe-initrd: /var open'
}

# A volume has this label until it is whole: when power fails while it is made, it is made anew.
UNFINISHED=vouchsafe-unfinished

# LUKS2 On-Disk Format Specification 1.1, 2.1: the label's 48 octets.
label_of() { dd if="$1" bs=1 skip=24 count=48 2>/dev/null | tr -d '\000'; }

make_var() {
  echo 'vouchsafe-initrd: making the encrypted /var'
  # Waits until the kernel's generator has its seed.
  (umask 077 && dd if=/dev/random of=/run/var.key bs=64 count=1 2>/dev/null)
  # The key is random, so that stretching it adds nothing.
  cryptsetup luksFormat --batch-mode --type luks2 --label $UNFINISHED --cipher aes-xts-plain64 --key-size 512 \
    --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/var.key "$1" || refuse "$1 cannot be made a LUKS2 volume"
  # No PCR by value, PCR 11 by signature; first the TPM's key comes, then the other goes.
  systemd-cryptenroll --unlock-key-file=/run/var.key --tpm2-device=auto --tpm2-pcrs= --tpm2-public-key=$policy_key \
    --tpm2-public-key-pcrs=11 --tpm2-signature=$signatures --wipe-slot=password "$1" >/dev/null ||
    refuse "$1: the key cannot be sealed"
  rm /run/var.key
  open_var "$1"
  /bin/mke2fs -q -t ext4 -m 0 /dev/mapper/var || refuse '/var: no file system can be made'
  mkdir /run/var
  mount -t ext4 /dev/mapper/var /run/var || refuse '/var cannot be mounted'
  # (The shell has a mke2fs of its own, which makes no journal.)
  # What the image has there is its first content.
  [ ! -d /sysroot/var ] || cp -a /sysroot/var/. /run/var/ || refuse '/var cannot be filled'
  umount /run/var
  cryptsetup config "$1" --label var || refuse "$1 cannot be labelled"
}

open_var() {
  # The volume key goes into the mapping itself for as long as it takes to measure it.
  cryptsetup open --token-only --token-type systemd-tpm2 --disable-keyring "$1" var </dev/null ||
    refuse 'the encrypted /var does not open: it was made on another machine, or for images of another key, or this image was not signed for its PCR 11'
}

# An attacker can put a volume of his own there, sealed to the public key as ours is: PCR 15 tells them apart, by an HMAC under
# the volume key, as systemd-cryptsetup measures it. systemd 253, src/cryptsetup/cryptsetup.c, measure_volume_key.
measure_var() {
  uuid=$(dd if="$1" bs=1 skip=168 count=40 2>/dev/null | tr -d '\000')
  key=$(dmsetup table --showkeys var | cut -d ' ' -f 5)
  [ ${#key} = 128 ] || refuse '/var: the volume key has not 64 octets'
  extend_sha256 15 "$(hmac_sha256 "$key" "cryptsetup:var:$uuid")"
  key=
  # The same key, in the kernel's keyring, which gives it to nobody.
  cryptsetup refresh --token-only --token-type systemd-tpm2 var </dev/null || refuse '/var: the volume key stays readable'
}

# hmac_sha256 KEY TEXT: RFC 2104, of a key that is exactly one block of SHA-256, 64 octets in hexadecimal.
hmac_sha256() {
  inner= outer= rest=$1
  while [ -n "$rest" ]; do
    octet=$((0x${rest:0:2})) rest=${rest#??}
    inner=$inner$(printf '\\%03o' $((octet ^ 0x36))) outer=$outer$(printf '\\%03o' $((octet ^ 0x5c)))
  done
  # shellcheck disable=SC2059
  digest=$({ printf "$inner" && printf %s "$2"; } | sha256sum)
  digest=$(echo "${digest:0:64}" | sed 's/../\\x&/g')
  # shellcheck disable=SC2059
  digest=$({ printf "$outer" && printf "$digest"; } | sha256sum)
  echo "${digest:0:64}"
}

# extend_sha256 PCR DIGEST: TPM2_PCR_Extend in one bank. TPM 2.0 Library, Part 3, 22.2.
extend_sha256() {
  command="\\200\\002\\000\\000\\000\\101\\000\\000\\001\\202\\000\\000\\000\\$(printf %03o "$1")"
  authorization='\000\000\000\011\100\000\000\011\000\000\000\000\000'
  run_tpm "$command$authorization\\000\\000\\000\\001\\000\\013$(echo "$2" | sed 's/../\\x&/g')%s" '' "PCR $1 cannot be extended"
}
