#!/usr/bin/env bash
# Makes .venv with the packages of the named files in tests/requirements, and does nothing where that is done already:
#   tests/venv.sh demo
#   PYTHON=/opt/python3.12/bin/python3 tests/venv.sh demo test
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# make puts .venv first; the interpreter to build from is another one.
while [[ $PATH == "$PWD/.venv/bin:"* ]]; do PATH=${PATH#*:}; done

mkdir -p .cache/home
if command -v flock >/dev/null; then
  exec 9>.cache/venv.lock
  flock 9
fi

# A candidate is believed only once it has run: version managers leave commands that exist and fail. It answers with the
# interpreter below it, so that an activated virtual environment is never the base of another.
probe='
import sys, venv, ensurepip
assert sys.version_info >= (3, 11)
print(getattr(sys, "_base_executable", sys.executable))
'
candidates=(python3 python3.13 python3.12 python3.11)
if [[ -n ${PYTHON:-} ]]; then candidates=("$PYTHON"); fi
python=
for candidate in "${candidates[@]}"; do
  if python=$("$candidate" -c "$probe" 2>/dev/null); then break; fi
  python=
done
if [[ -z $python ]]; then
  missing='Python 3.11 or newer with its modules venv and ensurepip'
  hint='Debian, Ubuntu: apt-get install python3-venv'
  if [[ -n ${PYTHON:-} ]]; then
    echo "make: PYTHON=$PYTHON is not $missing ($hint)" >&2
  else
    found=$(python3 --version 2>/dev/null || echo 'no python3 at all')
    echo "make: $missing is missing, found $found ($hint; another interpreter: make PYTHON=/path/to/python3 …)" >&2
  fi
  exit 1
fi

# Scripts in .venv hold its path, so a moved checkout needs a new one as well as another interpreter does.
identity="$PWD $("$python" -c 'import sys; print(sys.prefix, sys.version)')"
if [[ $(cat .venv/.identity 2>/dev/null) != "$identity" ]] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
  echo "make: .venv from $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
  printf '%s\n' "$identity" >.venv/.identity
fi

wanted=$(cat requirements.txt tests/requirements/*.txt | cksum)
for name in "$@"; do
  stamp=.venv/.has-$name
  [[ $(cat "$stamp" 2>/dev/null) != "$wanted" ]] || continue
  echo "make: installing tests/requirements/$name.txt into .venv (once)"
  if ! .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --upgrade --upgrade-strategy only-if-needed \
    --requirement "tests/requirements/$name.txt"; then
    echo "make: pip could not install tests/requirements/$name.txt; is a Python package index within reach?" >&2
    exit 1
  fi
  printf '%s\n' "$wanted" >"$stamp"
done
