#!/usr/bin/env bash
# What a scan needs of time and memory where somebody means it ill: one huge file, one endless line, a million files, and
# texts in which every expression has to try again at every byte, each of these twice as long as before to show that time
# grows no faster. Prints tables.
#
#   benches/hostile.sh
#
# Needs GNU time and Python (Debian: time python3), and GB + 6 gigabytes in FOLDER (a folder of its own in /tmp), which it
# removes as it goes. GB=10 and FILES=1000000 say how much.
set -euo pipefail
cd "$(dirname "$0")/.."
gb=${GB:-10} count=${FILES:-1000000}
command -v /usr/bin/time python3 >/dev/null || { echo "benches/hostile.sh: install time and python3" >&2; exit 2; }
cargo build --release --quiet
harden=$PWD/target/release/harden
top=$(mktemp -d "${FOLDER:-/tmp}/hostile.XXXXXX")
trap 'rm -rf "$top"' EXIT
mkdir "$top/home"
export HOME=$top/home XDG_CACHE_HOME=$top/cache XDG_STATE_HOME=$top/state

# name, path or - for standard input
row() {
  local mb seconds kib
  mb=$(du -sb --apparent-size "$2" | awk '{ printf "%.0f", $1 / 1e6 }')
  read -r seconds kib < <(/usr/bin/time -f '%e %M' sh -c "'$harden' scan -q --no-cache --allow-unknown '$2' >/dev/null 2>&1; true" 2>&1 | tail -1)
  awk -v name="$1" -v mb="$mb" -v s="$seconds" -v kib="$kib" \
    'BEGIN { printf "| %s | %s | %.2f s | %.0f MB/s | %.0f MiB |\n", name, mb, s, mb / (s > 0 ? s : 0.01), kib / 1024 }'
}
head_of() { printf '\n%s\n\n| | MB | time | rate | peak memory |\n| --- | ---: | ---: | ---: | ---: |\n' "$1"; }

# A text of so many megabytes that has a token in every twelve-thousandth line; without line ends if asked.
write_text() {
  python3 - "$1" "$2" "$3" <<'PY'
import random, sys
path, megabytes, end = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode().decode("unicode_escape").encode()
random.seed(1)
letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
def line(n):
    words = " ".join("".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(12))
    return words + (" ghp_" + "".join(random.choices(letters, k=36)) + " " if n == 0 else "")
part = end.join(line(n).encode() for n in range(12_000)) + end
with open(path, "wb") as out:
    for _ in range(megabytes * 1_000_000 // len(part)):
        out.write(part)
PY
}

head_of "Sizes"
write_text "$top/huge.txt" $((gb * 1000)) '\n'
row "one file" "$top/huge.txt"
rm "$top/huge.txt"
write_text "$top/line.txt" 2000 ' '
row "one line" "$top/line.txt"
rm "$top/line.txt"
python3 - "$top/many" "$count" <<'PY'
import os, sys
top, count = sys.argv[1], int(sys.argv[2])
for n in range(count):
    folder = f"{top}/{n // 1000}"
    if n % 1000 == 0:
        os.makedirs(folder)
    with open(f"{folder}/{n}.txt", "w") as out:
        out.write(f"file {n}\n")
PY
row "$count files" "$top/many"
rm -rf "$top/many"

head_of "The same again and again"
python3 - "$top" <<'PY'
import base64, sys
parts = {
    "prefixes of tokens": "sk-ghp_xoxb-AKIAeyJglpat-npm_SG.",
    "names of secrets": "password=secret_key=api_key:token=",
    "beginnings of addresses": "https://a:https://",
    "beginnings of private keys": "-----BEGIN RSA PRIVATE KEY-----\\n",
    "backslashes": "\\",
    "escapes of escapes": "\\\\u005cu005c",
    "percents of percents": "%2525%25",
    "base64 of base64": base64.b64encode(base64.b64encode(b"token: none of it ")).decode(),
    "hexadecimal digits": "68656c6c6f20",
    "zeroes and letters": "a\0b\0",
    "quotes": "\\\"key\\\":\\\"",
}
for name, part in parts.items():
    for size in (25, 50):
        with open(f"{sys.argv[1]}/{name.replace(' ', '_')}.{size}", "w") as out:
            out.write(part * (size * 1_000_000 // len(part)))
PY
for path in "$top"/*.25; do
  name=$(basename "${path%.25}" | tr _ ' ')
  for size in 25 50; do row "$name" "${path%.25}.$size"; done
  rm "$path" "${path%.25}.50"
done
