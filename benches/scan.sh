#!/usr/bin/env bash
# How long scans for secrets take, beside other scanners, in one run. Prints a table of medians, rates and peak memory.
#
#   benches/scan.sh [--install] [REPOSITORY...]
#
# Needs hyperfine, GNU time and Python (Debian: hyperfine time python3). --install puts the peers into target/peers by
# their packages: kingfisher-bin (pip), keyspoor and ripsecrets (cargo), gitleaks and betterleaks (go); scanner-rs is used
# where somebody has built it and put it on the PATH. Peers that are not there are left out. A peer has PEER seconds (120).
# Work trees named behind it are scanned with their whole history, beside `git log -p -U0`.
#
# The tree is made of sources that lie on this machine, at most SIZE MB of them (1070); the state is made of the same
# texts as an agent would write them down: tool output in JSON in JSON lines, a database with a log. Both stay in
# target/bench for the next run. Peers get their own fastest settings that still scan everything, and no network.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD/target/bench
peers=$PWD/target/peers
size=${SIZE:-1070}
if [ "${1:-}" = --install ]; then
  shift
  mkdir -p "$peers"
  python3 -m venv "$peers/venv" && "$peers/venv/bin/pip" install --quiet kingfisher-bin || echo "no kingfisher" >&2
  cargo install --quiet --root "$peers" ripsecrets || echo "no ripsecrets" >&2
  cargo install --quiet --root "$peers" --ignore-rust-version keyspoor || echo "no keyspoor" >&2
  GOBIN=$peers/bin go install github.com/zricethezav/gitleaks/v8@v8.30.1 || echo "no gitleaks" >&2
  GOBIN=$peers/bin go install github.com/betterleaks/betterleaks@latest || echo "no betterleaks" >&2
fi
for tool in hyperfine /usr/bin/time python3; do
  command -v "$tool" >/dev/null || { echo "benches/scan.sh: install $tool" >&2; exit 2; }
done
cargo build --release --quiet
harden=$PWD/target/release/harden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work XDG_CACHE_HOME=$work/cache XDG_STATE_HOME=$work/state PATH=$peers/venv/bin:$peers/bin:$PATH

tree=$top/tree
state=$top/state
if [ ! -d "$tree" ] || [ ! -d "$state" ]; then
  mkdir -p "$tree" "$state"
  python3 - "$tree" "$state" "$size" <<'PY'
import json, os, random, shutil, sqlite3, sys
tree, state, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]) * 1_000_000
home = os.path.expanduser("~root") if os.geteuid() == 0 else os.environ.get("BENCH_HOME", "/nonexistent")
ends = (".c .h .rs .go .py .pyi .js .ts .tsx .mjs .cjs .json .md .rst .txt .toml .yaml .yml .sh .html .css .java .xml "
        ".cfg .ini .hpp .cpp .cc .proto .sql .lock .map").split()
roots = ["/usr/local/go", home + "/.cargo/registry/src", home + "/.rustup/toolchains", home + "/go/pkg/mod",
         home + "/.pyenv/versions", "/usr/include", "/usr/lib/python3", "/usr/lib/node_modules", "/usr/local/lib", "/usr/share",
         "/usr/lib"]
total = count = 0
texts = []
for number, root in enumerate(roots):
    for folder, folders, names in os.walk(root):
        folders.sort()
        if total >= limit:
            break
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.endswith(tuple(ends)) or os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if size == 0 or size > 4_000_000:
                continue
            into = os.path.join(tree, str(number), os.path.relpath(folder, root))
            os.makedirs(into, exist_ok=True)
            shutil.copyfile(path, os.path.join(into, name))
            total, count = total + size, count + 1
            if count % 16 == 0 and size < 60_000:
                texts.append(path)
            if total >= limit:
                break
random.seed(7)
def text():
    with open(random.choice(texts), encoding="utf-8", errors="replace") as file:
        return file.read()
def event(n):
    inner = json.dumps({"tool": random.choice(["read", "bash", "grep"]), "output": text()})
    part = {"id": f"prt_{n:08x}", "type": "tool", "state": {"status": "completed", "input": {"n": n}, "output": inner}}
    return json.dumps({"time": 1_700_000_000_000 + n, "role": "assistant", "parts": [part]})
n = 0
for session in range(40):
    with open(f"{state}/ses_{session:04d}.jsonl", "w") as out:
        written = 0
        while written < 5_000_000:
            line, n = event(n) + "\n", n + 1
            out.write(line)
            written += len(line)
database = sqlite3.connect(state + "/opencode.db")
database.execute("pragma journal_mode=wal")
database.execute("create table part (id text primary key, data text)")
with database:
    for row in range(600):
        database.execute("insert into part values (?, ?)", (f"prt_{row}", event(row)))
# As an agent that is still running leaves it: with its log.
for end in ("", "-wal"):
    shutil.copyfile(state + "/opencode.db" + end, state + "/live.db" + end)
database.close()
PY
fi

bytes() { find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f", sum / 1e6 }'; }
line() { # name, MB, seconds, KiB
  python3 - "$1" "${2:-0}" "$3" "$4" "${own:-0}" <<'PY'
import sys
name, size, seconds, memory, own = sys.argv[1], *map(float, sys.argv[2:])
rate = f"{size / seconds:.0f} MB/s" if size else ""
print(f"| {name} | {seconds:.3f} s | {rate} | {memory / 1024:.0f} MiB | {f'{seconds / own:.1f}' if own else ''} |")
PY
}
row() { # name, MB, command, runs
  hyperfine --ignore-failure --warmup 1 --runs "$4" --export-json "$work/one.json" "$3" >/dev/null 2>&1
  median=$(python3 -c "import json;print(json.load(open('$work/one.json'))['results'][0]['median'])")
  line "$1" "$2" "$median" "$(/usr/bin/time -f %M sh -c "$3 >/dev/null 2>&1; true" 2>&1 | tail -1)"
}
# Peers run once, and what takes longer than they have is shown as that.
peer() { # name, program, MB, command
  command -v "$2" >/dev/null || { echo "| $1 | not installed | | | |"; return; }
  # shellcheck disable=SC2046
  line "$1" "$3" $(/usr/bin/time -f '%e %M' sh -c "timeout ${PEER:-120} $4 >/dev/null 2>&1; true" 2>&1 | tail -1)
}
head_of() { printf '\n%s\n\n| | median | rate | peak memory | times ours |\n| --- | ---: | ---: | ---: | ---: |\n' "$1"; }
files() { # folder
  local mb; mb=$(bytes "$1")
  own=
  row "harden scan" "$mb" "$harden scan -q --no-cache $1" 7; own=$median
  peer "kingfisher" kingfisher "$mb" "kingfisher scan $1 --no-validate --git-history none --no-update-check --format json"
  peer "keyspoor" keyspoor "$mb" "keyspoor scan $1 --no-ignore"
  peer "ripsecrets (no decoding, no report)" ripsecrets "$mb" "ripsecrets $1"
  peer "scanner-rs" scanner-rs "$mb" "scanner-rs scan fs --path $1"
  peer "betterleaks" betterleaks "$mb" "betterleaks dir $1 --no-banner --log-level=error"
  peer "gitleaks" gitleaks "$mb" "gitleaks dir $1 --no-banner --log-level=error"
  peer "ripgrep, one literal: reading alone" rg "$mb" "rg -c --no-ignore --hidden -j2 no_such_literal_anywhere $1"
}

find "$tree" "$state" -type f -print0 | xargs -0 cat >/dev/null
head_of "$(find "$tree" -type f | wc -l) source files, $(bytes "$tree") MB"
files "$tree"
head_of "Agent state, $(bytes "$state") MB, all views"
files "$state"
"$harden" scan -q "$state" >/dev/null 2>&1 || true
row "harden scan, again, unchanged" "" "$harden scan -q $state" 20
mkdir "$work/empty" && echo x >"$work/empty/a"
head_of "Start-up: one file of two bytes"
own=
row "harden scan" "" "$harden scan -q --no-cache $work/empty" 20; own=$median
peer "kingfisher" kingfisher "" "kingfisher scan $work/empty --no-validate --git-history none --no-update-check"
peer "gitleaks" gitleaks "" "gitleaks dir $work/empty --no-banner --log-level=error"
for repository in "$@"; do
  head_of "History of $(basename "$repository"), $(git -C "$repository" rev-list --all --count) commits"
  own=
  row "harden scan --history" "" "$harden scan -q --history $repository" 5; own=$median
  row "\`git log -p -U0\`" "" "git -C $repository log -p -U0 --all" 5
  peer "kingfisher" kingfisher "" "kingfisher scan $repository --no-validate --git-history full --no-update-check"
done
