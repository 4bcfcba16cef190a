#!/bin/sh
# Checks smtplog's counts on generated logs, then times it against wc, ripgrep, grep, pflogsumm, eximstats and gzip.
#
#   benches/compare.sh [--install] [--rounds N] [SIZE ...]     sizes as 10MiB, 1GiB; default: 100MiB 1GiB
#
# The logs are made once and kept in ${SMTPLOG_BENCH_DIR:-target/bench}. Missing peers are skipped with a note;
# --install gets them by apt-get (Debian, as root). Needs cargo and python3.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

rounds=9
sizes=
while [ $# -gt 0 ]; do
    case $1 in
    --install) apt-get install -y --no-install-recommends pflogsumm ripgrep exim4-base time ;;
    --rounds)
        rounds=${2:-0}
        shift
        ;;
    -h | --help)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *[0-9]KiB | *[0-9]MiB | *[0-9]GiB) sizes="$sizes $1" ;;
    *)
        echo "cannot read $1: give sizes such as 100MiB" >&2
        exit 2
        ;;
    esac
    shift
done
if [ "$rounds" -lt 7 ]; then
    echo "cannot compare in $rounds rounds: a median wants seven" >&2
    exit 2
fi

logs=${SMTPLOG_BENCH_DIR:-target/bench}
mkdir -p "$logs"
# cargo bench runs in the package's folder, not in the caller's.
logs=$(CDPATH='' cd -- "$logs" && pwd)

cargo build --release --bin smtplog
binary=$(cargo metadata --no-deps --format-version 1 | python3 -c \
    'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/smtplog

# A log gets its name when it is whole, and is written anew when the generator has changed.
generate() {
    log=$logs/$1
    shift
    if [ -f "$log.json" ] && [ -z "$(find benches/loggen benches/loggen.rs -name '*.rs' -newer "$log.json")" ]; then
        return
    fi
    cargo bench --quiet --bench loggen -- "$@" --out "$logs/part"
    rm -f "$log.gz"
    mv "$logs/part" "$log"
    mv "$logs/part.json" "$log.json"
}

set --
for size in ${sizes:-100MiB 1GiB}; do
    generate "postfix-$size.log" --mta postfix --size "$size"
    # Ids of the old form: eximstats before 4.97 does not take the new ones for ids.
    generate "exim-$size.log" --mta exim --short-ids --size "$size"
    set -- "$@" "postfix:$logs/postfix-$size.log" "exim:$logs/exim-$size.log"
done

exec python3 - "$binary" "$rounds" "$@" <<'PYTHON'
import gzip, json, os, platform, shutil, statistics, subprocess, sys, time
from collections import Counter
from pathlib import Path

SMTPLOG, ROUNDS = sys.argv[1], int(sys.argv[2])
LOGS = [argument.split(":", 1) for argument in sys.argv[3:]]
# pflogsumm reads some 10 MB/s; larger logs would take the day.
SLOW_BYTES = 200 << 20
PACKAGES = {"rg": "ripgrep", "pflogsumm": "pflogsumm", "eximstats": "exim4-base", "gzip": "gzip", "grep": "grep"}
EVENT_LINES = {"postfix": " status=", "exim": " (=>|->|==|\\*\\*) "}
ENVIRONMENT = dict(os.environ, LC_ALL="C")


def check(log):
    """Stops unless smtplog counts what the generator wrote."""
    wanted = json.loads(Path(log + ".json").read_text())
    scan = subprocess.run([SMTPLOG, "scan", "--format", "json", "-n", "0", log], stdout=subprocess.PIPE)
    if scan.returncode != 0:
        sys.exit(f"{os.path.basename(log)}: smtplog failed with {scan.returncode}")
    report = json.loads(scan.stdout)
    got = Counter()
    for row in report["rows"]:
        key = [row["direction"], row["outcome"], row["code"], row["enhanced"]]
        got["|".join("-" if part is None else str(part) for part in key)] += row["attempts"]
    wrong = [key for key in sorted(got | Counter(wanted["events"])) if got[key] != wanted["events"].get(key, 0)]
    for key in wrong:
        print(f"{key}: wanted {wanted['events'].get(key, 0)}, got {got[key]}", file=sys.stderr)
    if wrong:
        sys.exit(f"{os.path.basename(log)}: counts differ, so its speed says nothing")
    lines = report.get("input", {}).get("lines", wanted["lines"])
    if lines != wanted["lines"]:
        sys.exit(f"{os.path.basename(log)}: wanted {wanted['lines']} lines, got {lines}")
    print(f"\n{os.path.basename(log)}: {wanted['bytes']} bytes, {wanted['lines']} lines; "
          f"{sum(got.values())} events under {len(got)} keys counted as written")


def commands(mta, log):
    """Name and argv, wc first: all ratios are to it."""
    pattern = EVENT_LINES[mta]
    rows = [
        ("wc -l", ["wc", "-l", log]),
        ("smtplog -j 2", [SMTPLOG, "scan", "-j", "2", log]),
        ("smtplog -j 1", [SMTPLOG, "scan", "-j", "1", log]),
        (f"rg -c '{pattern}'", ["rg", "-c", pattern, log]),
        (f"grep -cE '{pattern}'", ["grep", "-cE", pattern, log]),
    ]
    if os.path.getsize(log) <= SLOW_BYTES:
        peer = {"postfix": "pflogsumm", "exim": "eximstats"}[mta]
        packed = log + ".gz"
        if not os.path.exists(packed):
            with open(log, "rb") as plain, gzip.open(packed, "wb", 6) as out:
                shutil.copyfileobj(plain, out, 1 << 20)
        rows += [
            (peer, [peer, log]),
            ("gzip -dc .gz", ["gzip", "-dc", packed]),
            ("smtplog -j 2 .gz", [SMTPLOG, "scan", "-j", "2", packed]),
        ]
    for name, argv in rows:
        if shutil.which(argv[0]):
            yield name, argv
        else:
            print(f"{name} is left out: apt-get install {PACKAGES.get(argv[0], argv[0])}", file=sys.stderr)


def run(argv):
    """Wall and CPU seconds. The answer goes into a pipe, since grep -c stops early at /dev/null."""
    sink = subprocess.DEVNULL if argv[0] == "gzip" else subprocess.PIPE
    before = time.perf_counter()
    child = subprocess.Popen(argv, stdout=sink, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    if child.stdout:
        child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - before
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{os.path.basename(argv[0])} failed with {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


def peak(argv):
    """MiB of resident memory, by a run of its own: as python's child a small program would be charged for python."""
    timer = shutil.which("time", path="/usr/bin")
    if not timer:
        return None
    asked = subprocess.run([timer, "-f", "%M", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT)
    return int(asked.stderr.split()[-1]) / 1024


def compare(mta, log):
    rows = list(commands(mta, log))
    taken = {name: [] for name, _ in rows}
    for name, argv in rows:
        run(argv)
    for turn in range(ROUNDS):
        # Each round begins with another command, so that none always follows the same one.
        start = turn % len(rows)
        for name, argv in rows[start:] + rows[:start]:
            taken[name].append(run(argv))
    size, base = os.path.getsize(log) / 1e6, taken["wc -l"]
    print(f"{'':32}{'wall s':>9}{'CPU s':>9}{'x wc wall':>11}{'x wc CPU':>10}{'MB/s':>8}{'RSS MiB':>9}")
    for name, argv in rows:
        wall, cpu = (statistics.median(column) for column in zip(*taken[name]))
        ratio = [
            statistics.median(mine[part] / max(its[part], 1e-6) for mine, its in zip(taken[name], base))
            for part in (0, 1)
        ]
        memory = peak(argv)
        print(f"{name:32}{wall:9.3f}{cpu:9.3f}{ratio[0]:11.2f}{ratio[1]:10.2f}{size / wall:8.0f}"
              + ("        -" if memory is None else f"{memory:9.1f}"))
    if "gzip -dc .gz" in taken:
        pairs = zip(taken["smtplog -j 2 .gz"], taken["gzip -dc .gz"])
        print(f"smtplog takes {statistics.median(mine[0] / its[0] for mine, its in pairs):.2f} of the time of gzip -dc")


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    rustc = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    print(f"{model}, {len(os.sched_getaffinity(0))} processors, {platform.system()} {platform.release()}, {rustc}, "
          f"load {os.getloadavg()[0]:.1f}, medians of {ROUNDS} rounds")


machine()
for mta, log in LOGS:
    check(log)
    compare(mta, log)
PYTHON
