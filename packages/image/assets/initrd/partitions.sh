# SPDX-License-Identifier: Apache-2.0
# Finds partitions by the UUIDs in the partition table: kernels before 6.9 do not say them. What a table says is not
# trusted; whoever uses a partition checks what is in it.

# One line for each partition: disk, device, type and UUID, both as they stand on the disk, in hexadecimal.
# UEFI 2.10, 5.3.2 and 5.3.3.
list_partitions() {
  for folder in /sys/block/*; do
    disk=${folder##*/}
    case $disk in loop* | ram* | dm-* | zram* | fd* | sr*) continue ;; esac
    sector=$(cat "$folder/queue/logical_block_size")
    [ "$(od -A n -v -t x1 -j "$sector" -N 8 "/dev/$disk" 2>/dev/null | tr -d ' \n')" = 4546492050415254 ] || continue
    first=$(($(od -A n -t u8 -j $((sector + 72)) -N 8 "/dev/$disk")))
    count=$(($(od -A n -t u4 -j $((sector + 80)) -N 4 "/dev/$disk")))
    size=$(($(od -A n -t u4 -j $((sector + 84)) -N 4 "/dev/$disk")))
    # What every tool writes; a table of another form is passed over.
    [ "$size" = 128 ] && [ "$count" -le 1024 ] && [ "$first" -ge 2 ] && [ "$first" -le 65536 ] || continue
    dd if="/dev/$disk" bs="$sector" skip="$first" count=$((count * 128 / sector)) 2>/dev/null |
      od -A n -v -t x1 -w128 | tr -d ' ' >/run/table
    for number in "$folder"/*/partition; do
      [ -f "$number" ] || continue
      device=${number%/partition}
      entry=$(sed -n "$(cat "$number")p" /run/table)
      echo "$disk /dev/${device##*/} ${entry:0:32} ${entry:32:32}"
    done
  done
}

# A UUID, given as its 32 digits, as it stands in a table: its first three numbers are little-endian.
uuid_on_disk() {
  echo "$1" | sed 's/^\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)/\4\3\2\1\6\5\8\7/'
}

# The first partition with such a UUID: "disk device".
find_uuid() {
  wanted=$(uuid_on_disk "$1")
  while read -r disk device type uuid; do
    [ "$uuid" = "$wanted" ] || continue
    echo "$disk $device"
    return
  done </run/partitions
  return 1
}

# The partitions of a type on a disk, one device a line.
find_type() {
  wanted=$(uuid_on_disk "$2")
  while read -r disk device type uuid; do
    [ "$disk" != "$1" ] || [ "$type" != "$wanted" ] || echo "$device"
  done </run/partitions
}
