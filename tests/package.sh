#!/bin/sh
# Install the wheel in the folder $1 into an empty environment, and ask it a question from an empty folder.
set -eu
wheel=$(ls "$PWD/$1"/nkqa-*.whl)
constraints=$PWD/constraints.txt
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
python3 -m venv "$empty/venv"
"$empty/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$constraints" "$wheel"
cd "$empty"
XDG_CACHE_HOME=$empty/cache "$empty/venv/bin/nkqa" ask --json "How many Russian peacekeepers were sent?" >answer.json
"$empty/venv/bin/python" - <<'PYTHON'
import json

answer = json.load(open("answer.json"))
assert answer["status"] == "answered", answer
assert answer["citations"], answer
print("the installed wheel answers:", answer["answer"])
PYTHON
