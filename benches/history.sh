#!/usr/bin/env bash
# How long it takes to report on one host, and to list, compare and draw 1,000 kept audits. Prints a table of medians.
#
#   benches/history.sh [RESULTS.md]
#
# Needs python3. Builds the release binary; audits a small project, and keeps it 1,000 times under earlier times in a
# temporary folder that it removes.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-/dev/stdout}
cargo build --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/shop/.git" "$work/state"
echo '{ "mcp": { "a": { "type": "local", "command": ["npx", "-y", "x"] } } }' >"$work/shop/opencode.json"
HARDEN=$PWD/target/release/harden WORK=$work python3 - >"$out" <<'PY'
import os, sqlite3, statistics, subprocess, time
harden, work = os.environ["HARDEN"], os.environ["WORK"]
env = dict(os.environ, XDG_STATE_HOME=work + "/state")
run = lambda *args: subprocess.run([harden, *args], env=env, cwd=work, capture_output=True)
run("audit", "shop", "-f", "json=host.json")
database = sqlite3.connect(work + "/state/harden/history.sqlite")
columns = "project, profile, scope, harden, against, accepted, unknown, passed, report"
for at in range(999):
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1700000000 + 3600 * at))
    database.execute(f"INSERT INTO audits (time, {columns}) SELECT ?, {columns} FROM audits WHERE id = 1", (moment,))
database.commit()
assert database.execute("SELECT count(*) FROM audits").fetchone() == (1000,)
size = os.path.getsize(work + "/state/harden/history.sqlite") / 2**20
database.close()

def measure(what, *args, good=(0,)):
    times = []
    for _ in range(15):
        start = time.perf_counter()
        done = run(*args)
        times.append(time.perf_counter() - start)
        assert done.returncode in good, done.stderr
    print(f"| {what} | {1000 * statistics.median(times):.1f} ms |")

print("| work | median |\n| --- | ---: |")
for form in ["md", "html", "json", "oscal-ar"]:
    measure(f"report of one host, `-f {form}`", "report", "host.json", "-f", form, "-o", "report", "--no-history")
measure("list 1,000 kept audits", "history")
measure("compare two of 1,000", "diff", "1", "1000")
measure("draw the trend of 1,000, `-f html`", "report", "host.json", "-f", "html", "-o", "report")
print(f"\nThe history of 1,000 audits is {size:.1f} MiB.")
PY
