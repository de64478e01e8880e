#!/bin/sh
# The OpenAPI document against the real server: schemathesis calls everything with what fits and what does not, and no answer may be a
# failure of the server or none that the document names.
#
# fuzz.sh PROGRAM [EXAMPLES] [SEED]
#
# No answer may take longer than a simulation may, with the time to make it ready. Needs python3 with venv. Left out: the stop of the server, and the stream of events, which has no end. That what fits is
# taken is not asked for: whether a sprint can be paused is no matter of its form.
set -eu
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
env="$here/../../target/schemathesis"
[ -x "$env/bin/python" ] || python3 -m venv "$env"
"$env/bin/python" -m pip --quiet --disable-pip-version-check install --requirement "$here/requirements.txt"

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
git init --quiet --initial-branch=main "$dir/repo"
cd "$dir/repo"
git -c user.name=fuzz -c user.email=fuzz@localhost commit --quiet --allow-empty --message=begin
"$program" serve --listen 127.0.0.1:0 --drain 0 2>"$dir/log" &
server=$!
tries=0
until [ -s .director/http.address ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$dir/log"; exit 1; }
    sleep 0.1
done
cat > sprint.toml <<'SPRINT'
[sprint]
id = "fuzzed"
[team.product]
agent = "person"
kinds = ["research"]
[[task]]
id = "choose"
kind = "research"
[[task]]
id = "paint"
depends_on = ["choose"]
run = "true"
SPRINT
"$program" submit sprint.toml
"$env/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$(cat .director/http.address)/api/v1/openapi.json" \
    --header "Authorization: Bearer $(cat .director/http.token)" \
    --exclude-path /api/v1/shutdown --exclude-path /api/v1/events \
    --checks all --exclude-checks positive_data_acceptance \
    --phases examples,coverage,fuzzing,stateful --max-examples "${2:-20}" --seed "${3:-1}" \
    --request-timeout 60 --max-response-time 45 --warnings off --no-color
# It lives, stops in order, and its journal is whole.
"$program" status >/dev/null
kill "$server"
# 3 says that work remains.
wait "$server" || [ $? -eq 3 ]
server=
"$program" journal verify
