#!/bin/sh
# Gets real clients of the Model Context Protocol into target/clients, for the tests that speak to the real program with them.
# Needs python3 with venv, and npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
there="$here/../../target/clients"
mkdir -p "$there"
[ -x "$there/python/bin/python" ] || python3 -m venv "$there/python"
"$there/python/bin/python" -m pip --quiet --disable-pip-version-check install --requirement "$here/requirements.txt"
cp "$here/package.json" "$there/package.json"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$there"
