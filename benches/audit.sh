#!/usr/bin/env bash
# How long audits take, beside lynis, in one run. Prints a table of medians and the peak memory.
#
#   benches/audit.sh [RESULTS.md]
#
# Needs hyperfine and GNU time; lynis for the comparison (Debian: hyperfine time lynis). Builds the release binary,
# makes its own trees in a temporary folder and removes them.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-/dev/stdout}
for tool in hyperfine /usr/bin/time; do
  command -v "$tool" >/dev/null || { echo "benches/audit.sh: install $tool" >&2; exit 2; }
done
cargo build --release --quiet
harden=$PWD/target/release/harden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Audits are kept here, and not where those of this account are.
export XDG_STATE_HOME=$work/state

small=$work/small
mkdir -p "$small/src" "$small/.git/objects" "$small/.git/refs"
echo 'ref: refs/heads/main' >"$small/.git/HEAD"
echo '{ "permission": { "bash": "ask" }, "mcp": { "a": { "type": "local", "command": ["npx", "-y", "x@1.0.0"] } } }' >"$small/opencode.json"
for n in $(seq 40); do echo "fn f$n() {}" >"$small/src/f$n.rs"; done

large=$work/large
python3 - "$large" <<'PY'
import os, sys
top = sys.argv[1]
os.makedirs(top + "/.git/objects"); os.makedirs(top + "/.git/refs")
open(top + "/.git/HEAD", "w").write("ref: refs/heads/main\n")
open(top + "/opencode.json", "w").write("{}")
for package in range(1900):                      # 95,000 files of dependencies
    for part in range(5):
        folder = f"{top}/node_modules/p{package}/lib{part}"
        os.makedirs(folder)
        for n in range(10):
            open(f"{folder}/m{n}.js", "w").write("module.exports = " + "x" * 400 + ";\n")
for n in range(5000):                            # 5,000 of its own
    folder = f"{top}/src/d{n % 100}"
    os.makedirs(folder, exist_ok=True)
    open(f"{folder}/f{n}.ts", "w").write("export const value = 1;\n" * 40)
PY

measure() { hyperfine --ignore-failure --warmup 3 --runs "${3:-20}" --export-json "$work/one.json" "$2" >/dev/null 2>&1
  median=$(python3 -c "import json;print(json.load(open('$work/one.json'))['results'][0]['median'])")
  memory=$(/usr/bin/time -f %M sh -c "$2 >/dev/null 2>&1; true" 2>&1 | tail -1)
  printf '| %s | %.1f ms | %.0f MiB |\n' "$1" "$(python3 -c "print($median*1000)")" "$(python3 -c "print($memory/1024)")"; }
{
  echo "| work | median | peak memory |"
  echo "| --- | ---: | ---: |"
  measure "start-up: all checks compiled (\`list checks\`)" "$harden list checks"
  measure "small project and host (\`audit\`)" "$harden audit $small"
  measure "the same, files of the project alone (\`audit --scope repo\`)" "$harden audit --scope repo $small"
  measure "100,000 files with node_modules and host" "$harden audit $large" 10
  if command -v lynis >/dev/null; then
    measure "small project and host, again, right before lynis" "$harden audit $small"; host=$median
    measure "\`lynis audit system --quick\`" "lynis audit system --quick --no-log --quiet" 1
    python3 -c "print(f'\nlynis takes {$median/$host:.0f} times as long as a host audit.')"
  fi
} >"$out"
