# SPDX-License-Identifier: Apache-2.0
# Extends PCRs with nothing but the shell: a TPM command is some 40 octets.

# extend_phase WORD: into PCR 11, in every bank that there is, as systemd-pcrphase does. Where there is no TPM there is
# nothing to extend, and nothing sealed; where there is one, a phase that is not extended would leave open what is sealed
# for another.
extend_phase() {
  has_tpm || return 0
  extend_pcr 11 "$1"
}

has_tpm() {
  [ ! -c /dev/tpmrm0 ] || return 0
  [ ! -e /sys/firmware/acpi/tables/TPM2 ] || refuse 'the firmware has a TPM 2.0, and this kernel no device for it'
  return 1
}

# TPM2_PCR_Event with the empty password: the TPM hashes the text with each bank's algorithm. TPM 2.0 Library, Part 3, 22.4;
# Part 1, 18.6 on the authorization area.
extend_pcr() {
  [ ${#2} -le 200 ] || refuse "more than 200 octets to extend PCR $1 with"
  pcr=$(printf %03o "$1") length=$(printf %03o ${#2}) size=$(printf %03o $((29 + ${#2})))
  command="\\200\\002\\000\\000\\000\\$size\\000\\000\\001\\074\\000\\000\\000\\$pcr"
  authorization='\000\000\000\011\100\000\000\011\000\000\000\000\000'
  run_tpm "$command$authorization\\000\\$length%s" "$2" "PCR $1 cannot be extended"
}

# run_tpm FORMAT TEXT FAILURE: one write is one command, and the next read its answer.
run_tpm() {
  exec 3<>/dev/tpmrm0
  # shellcheck disable=SC2059
  printf "$1" "$2" >&3
  answer=$(dd bs=4096 count=1 <&3 2>/dev/null | od -A n -v -t x1 | tr -d ' \n')
  exec 3>&-
  case $answer in
    8002????????00000000*) ;;
    *) refuse "$3: the TPM answers ${answer:12:8}" ;;
  esac
}
