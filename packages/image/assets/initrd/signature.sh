# SPDX-License-Identifier: Apache-2.0
# The signature of a root hash, where this image asks for one: the kernel can check it only by keys of its own, which are not
# the firmware's.

# verify_signature NAME ROOTHASH: whoever holds the certificate's key has signed this root hash, on the disk where the data is.
# Discoverable Partitions Specification, "root-verity-sig": JSON with the signature in DER and base64, zeros behind it.
verify_signature() {
  case $1 in
    root) type=41092b059fc84523994f2def0408b176 ;;
    usr) type=e7bb33fb06cf4e818273e543b413e2e2 ;;
  esac
  printf %s "$2" >/run/roothash
  for device in $(find_type "$verity_disk" $type); do
    dd if="$device" bs=4096 count=16 2>/dev/null | tr -d '\000\n' >/run/signature.json
    # One partition of each slot.
    [ "$(sed -n 's/.*"rootHash":"\([0-9a-f]*\)".*/\1/p' /run/signature.json)" = "$2" ] || continue
    sed -n 's/.*"signature":"\([A-Za-z0-9+/=]*\)".*/\1/p' /run/signature.json | base64 -d >/run/signature.der
    # By exactly this certificate: -nointern takes none from the signature, -noverify asks no other who issued it. There is
    # no clock to trust, so no dates are looked at.
    openssl cms -verify -binary -inform DER -in /run/signature.der -content /run/roothash -out /dev/null \
      -certfile /etc/root-hash.crt -nointern -noverify ||
      refuse "$device: the signature of the root hash is not by the certificate of this image"
    echo "vouchsafe-initrd: root hash signed"
    return
  done
  refuse "no signature of the root hash on $verity_disk"
}
