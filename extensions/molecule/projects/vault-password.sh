#!/bin/sh
# The vault password of this scenario: made up once, and gone with the scenario's directory.
set -eu
umask 077
file="$MOLECULE_EPHEMERAL_DIRECTORY/vault-password"
[ -s "$file" ] || head -c 30 /dev/urandom | base64 >"$file"
cat "$file"
