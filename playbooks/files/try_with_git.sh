#!/bin/sh
# Lists the references of a repository with one login in one file, as git itself reads it. Nothing is changed or shown.
#   try_with_git.sh FORMAT FILE USER URL
# Exit status: 0 it works, 3 there is no way to try just this login, anything else: it does not work.
set -u
format=$1 file=$2 user=$3 url=$4
home=$(eval echo "~$(id -un)")
directory=${file%/*}
export GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false LC_ALL=C STORE="$file"

# The home of nobody: another file of credentials may not answer for this one.
ask() {
  HOME=${elsewhere:-/} GIT_CONFIG_GLOBAL=${settings:-$home/.gitconfig} \
    git -c credential.helper= -c http.lowSpeedLimit=1 -c http.lowSpeedTime=30 "$@" </dev/null >/dev/null
}

ask_for_url() {
  [ -n "$url" ] || exit 3
  ask "$@" ls-remote --quiet "https://${user:+$user@}${url#https://}"
}

case $format in
git_credentials)
  # Git's own helper removes an entry that the server refuses, so it is only asked and never told.
  ask_for_url -c "credential.helper=!f() { test \"\$1\" = get && git credential-store --file \"\$STORE\" get; }; f"
  ;;
netrc)
  [ "${file##*/}" = .netrc ] || exit 3
  elsewhere=$directory
  ask_for_url
  ;;
git_config)
  if [ "${file##*/}" = config ] && git --git-dir "$directory" rev-parse >/dev/null 2>&1; then
    names=$(git --git-dir "$directory" config --local --name-only --get-regexp '^remote\..*\.url$' "//$user:.*@bitbucket\.org/")
    [ -n "$names" ] || exit 3
    for name in $names; do
      name=${name#remote.}
      ask --git-dir "$directory" ls-remote --quiet "${name%.url}" || exit 1
    done
  else
    settings=$file
    ask_for_url
  fi
  ;;
*) exit 3 ;;
esac
