# SPDX-License-Identifier: Apache-2.0
# Opens a dm-verity device from a root hash that was measured.

# Whole seconds since the kernel started. proc_uptime(5).
seconds_up() {
  sed 's/\..*//' /proc/uptime
}

# open_verity NAME ROOTHASH: makes /dev/mapper/NAME, and says in $verity_disk which disk it is on.
open_verity() {
  case $2 in
    '' | *[!0-9a-f]*) refuse "the command line has no root hash of ${1} in lower-case hexadecimal: roothash=, usrhash= or cc_rootfs_verity.hash=" ;;
  esac
  [ ${#2} = 64 ] || refuse "the root hash of ${1} has ${#2} digits, 64 are expected"

  # Discoverable Partitions Specification, "Verity": the first half of the root hash is the data partition's UUID, the
  # second the tree's. So each of two versions on a disk finds its own.
  # Drivers find disks after their modules are loaded. Time is counted, not tries: one costs as much as the machine is slow.
  until_seconds=$(($(seconds_up) + 20))
  until list_partitions >/run/partitions && data=$(find_uuid "${2:0:32}") && tree=$(find_uuid "${2:32:32}"); do
    [ "$(seconds_up)" -lt $until_seconds ] || refuse "no partitions whose UUIDs are the two halves of the root hash $2"
    sleep 0.05
  done
  verity_disk=${data%% *} data=${data#* } tree=${tree#* }
  [ ! -f $parts/signature.sh ] || verify_signature "$1" "$2"

  # The superblock is not measured. Only the salt and the number of blocks are taken from it: with others the root hash does
  # not come out. Sizes and algorithm are ours. cryptsetup, lib/verity/verity.c, struct verity_sb.
  head=$(od -A n -v -t x1 -N 64 "$tree" | tr -d ' \n')
  [ "${head:0:32}" = 76657269747900000100000001000000 ] || refuse "$tree: no dm-verity superblock of version 1, type 1"
  [ "${head:64:64}" = 7368613235360000000000000000000000000000000000000000000000000000 ] ||
    refuse "$tree: the hash tree is not of SHA-256"
  sizes=$(od -A n -v -t u4 -j 64 -N 8 "$tree" | tr -s ' ')
  [ "$sizes" = ' 4096 4096' ] || refuse "$tree: blocks of$sizes octets, 4096 are expected"
  blocks=$(od -A n -v -t u8 -j 72 -N 8 "$tree" | tr -d ' ')
  [ ${#blocks} -le 12 ] && [ "$blocks" -ge 1 ] || refuse "$tree: $blocks data blocks"
  salt_size=$(od -A n -v -t u2 -j 80 -N 2 "$tree" | tr -d ' ')
  [ "$salt_size" -le 256 ] || refuse "$tree: a salt of $salt_size octets, at most 256 are expected"
  salt=$(od -A n -v -t x1 -j 88 -N "$salt_size" "$tree" | tr -d ' \n')
  table="0 $((blocks * 8)) verity 1 $data $tree 4096 4096 $blocks 1 sha256 $2 ${salt:--}"
  dmsetup create "$1" --readonly --table "$table" || refuse "the verity device of ${1} cannot be made"
}
