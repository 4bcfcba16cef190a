#!/bin/sh
# Checks smtplog's counts on generated logs, then times it against wc, ripgrep, grep, angle-grinder, pflogsumm,
# eximstats and gzip.
#
#   benches/compare.sh [--install] [--write] [--rounds N] [SIZE ...]     sizes as 10MiB, 1GiB; default: 100MiB 1GiB
#
# The logs are made once and kept in ${SMTPLOG_BENCH_DIR:-target/bench}. Missing peers are skipped with a note;
# --install gets them by apt-get (Debian, as root) and cargo. --write puts what comes out into docs/performance.md.
# Needs cargo and python3.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

rounds=9
sizes=
written=
while [ $# -gt 0 ]; do
    case $1 in
    --install)
        apt-get install -y --no-install-recommends pflogsumm ripgrep exim4-base time
        cargo install --locked ag
        ;;
    --write) written=docs/performance.md ;;
    --rounds)
        rounds=${2:-0}
        shift
        ;;
    -h | --help)
        sed -n '2,9s/^# \{0,1\}//p' "$0"
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
logs=$(CDPATH='' cd -- "$logs" && pwd)

cargo build --release --bin smtplog
binary=$(cargo metadata --no-deps --format-version 1 | python3 -c \
    'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/smtplog

# A log gets its name when it is whole, and is written anew when the generator has changed.
generate() {
    log=$logs/$1
    shift
    if [ -f "$log.json" ] && [ -z "$(find crates/loggen -name '*.rs' -newer "$log.json")" ]; then
        return
    fi
    cargo run --quiet --profile generator --package loggen --bin loggen -- "$@" --out "$logs/part"
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

exec python3 - "$binary" "$rounds" "$written" "$@" <<'PYTHON'
import gzip, json, os, platform, shutil, statistics, subprocess, sys, tempfile, time
from collections import Counter
from pathlib import Path

SMTPLOG, ROUNDS, WRITTEN = sys.argv[1], int(sys.argv[2]), sys.argv[3]
LOGS = [argument.split(":", 1) for argument in sys.argv[4:]]
# pflogsumm reads some 10 MB/s; larger logs would take the day.
SLOW_BYTES = 200 << 20
PACKAGES = {"rg": "apt-get install ripgrep", "pflogsumm": "apt-get install pflogsumm", "agrind": "cargo install ag",
            "eximstats": "apt-get install exim4-base"}
EVENT_LINES = {"postfix": "status=", "exim": " (=>|->|==|\\*\\*) "}
GRIND = {"postfix": '* | parse "status=* " as status | count by status', "exim": '* | parse "T=* " as transport | count by transport'}
ENVIRONMENT = dict(os.environ, LC_ALL="C", SMTPLOG_NO_CONFIG="1")
THREADS = (1, 2, 5)
MIB = 1 << 20


def check(log):
    """Stops unless smtplog counts what the generator wrote, whatever the number of threads."""
    wanted = json.loads(Path(log + ".json").read_text())
    reports = set()
    for threads in THREADS:
        argv = [SMTPLOG, "scan", "-j", str(threads), "--format", "json", "-n", "0", log]
        scan = subprocess.run(argv, stdout=subprocess.PIPE, env=ENVIRONMENT)
        if scan.returncode != 0:
            sys.exit(f"{os.path.basename(log)}: smtplog failed with {scan.returncode}")
        reports.add(scan.stdout)
    if len(reports) != 1:
        sys.exit(f"{os.path.basename(log)}: the report hangs on the number of threads")
    report = json.loads(reports.pop())
    got = Counter()
    for row in report["rows"]:
        key = [row["direction"], row["outcome"], row["code"], row["enhanced"]]
        got["|".join("-" if part is None else str(part) for part in key)] += row["attempts"]
    wrong = [key for key in sorted(got | Counter(wanted["events"])) if got[key] != wanted["events"].get(key, 0)]
    for key in wrong:
        print(f"{key}: wanted {wanted['events'].get(key, 0)}, got {got[key]}", file=sys.stderr)
    if wrong:
        sys.exit(f"{os.path.basename(log)}: counts differ, so its speed says nothing")
    if report["input"]["lines"] != wanted["lines"]:
        sys.exit(f"{os.path.basename(log)}: wanted {wanted['lines']} lines, got {report['input']['lines']}")
    return (f"{wanted['bytes']:,} bytes, {wanted['lines']:,} lines; {sum(got.values()):,} events under {len(got)} keys, "
            f"counted as written by {', '.join(map(str, THREADS[:-1]))} and {THREADS[-1]} threads.")


def commands(mta, log):
    """Name and argv, wc first: all ratios are to it."""
    pattern = EVENT_LINES[mta]
    rows = [
        ("wc -l", ["wc", "-l", log]),
        ("smtplog scan -j 2", [SMTPLOG, "scan", "-j", "2", log]),
        ("smtplog scan -j 1", [SMTPLOG, "scan", "-j", "1", log]),
        (f"rg -c '{pattern}'", ["rg", "-c", pattern, log]),
        (f"grep -cE '{pattern}'", ["grep", "-cE", pattern, log]),
    ]
    if os.path.getsize(log) <= SLOW_BYTES:
        peer = {"postfix": "pflogsumm", "exim": "eximstats"}[mta]
        packed = log + ".gz"
        if not os.path.exists(packed):
            with open(log, "rb") as plain, gzip.open(packed, "wb", 6) as out:
                shutil.copyfileobj(plain, out, MIB)
        rows += [
            ("agrind, count by one field", ["agrind", "-f", log, GRIND[mta]]),
            (peer, [peer, log]),
            ("gzip -dc of the .gz", ["gzip", "-dc", packed]),
            ("smtplog scan -j 2 of the .gz", [SMTPLOG, "scan", "-j", "2", packed]),
        ]
    for name, argv in rows:
        if shutil.which(argv[0]):
            yield name, argv
        else:
            print(f"{name} is left out: {PACKAGES.get(argv[0], argv[0] + ' is not here')}", file=sys.stderr)


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


def taking_turns(rows, rounds):
    """Of each command its wall and CPU seconds; a round first that does not count."""
    taken = {name: [] for name, _ in rows}
    for _, argv in rows:
        run(argv)
    for turn in range(rounds):
        # Each round begins with another command, so that none always follows the same one.
        start = turn % len(rows)
        for name, argv in rows[start:] + rows[:start]:
            taken[name].append(run(argv))
    return taken


def ratio(mine, its, part):
    """The median of the rounds' own ratios; `part` 0 is wall time, 1 CPU time."""
    return statistics.median(a[part] / max(b[part], 1e-6) for a, b in zip(mine, its))


def peak(argv):
    """MiB of resident memory, by a run of its own: as python's child a small program would be charged for python."""
    timer = shutil.which("time", path="/usr/bin")
    if not timer:
        return None
    asked = subprocess.run([timer, "-f", "%M", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT)
    return int(asked.stderr.split()[-1]) / 1024


def compare(mta, log):
    """Markdown lines, and what was measured."""
    rows = list(commands(mta, log))
    taken = taking_turns(rows, ROUNDS)
    size, base = os.path.getsize(log), taken["wc -l"]
    lines = ["| | wall s | CPU s | wall, of `wc -l` | CPU, of `wc -l` | MB/s | memory MiB |", "|---|--:|--:|--:|--:|--:|--:|"]
    peaks = {}
    for name, argv in rows:
        wall, cpu = (statistics.median(column) for column in zip(*taken[name]))
        peaks[name] = peak(argv)
        memory = "-" if peaks[name] is None else f"{peaks[name]:.0f}"
        shown = name.replace("|", "\\|")
        lines.append(f"| `{shown}` | {wall:.3f} | {cpu:.3f} | {ratio(taken[name], base, 0):.2f} | "
                     f"{ratio(taken[name], base, 1):.2f} | {size / 1e6 / wall:.0f} | {memory} |")
    return lines, taken, peaks


def told(mta, taken):
    """The ratios that are not to wc, as Markdown lines."""
    two, one = taken["smtplog scan -j 2"], taken["smtplog scan -j 1"]
    lines = [f"- Two threads take {ratio(two, one, 0):.2f} of the wall time of one."]
    for name in taken:
        if name.startswith("rg "):
            lines.append(f"- Two threads take {ratio(two, taken[name], 0):.2f} times the wall time of `{name}`.")
        if name in ("pflogsumm", "eximstats") or name.startswith("agrind"):
            lines.append(f"- `{name}` takes {ratio(taken[name], two, 0):.0f} times the wall time of two threads, and "
                         f"{ratio(taken[name], one, 1):.0f} times the CPU time of one.")
    if "gzip -dc of the .gz" in taken:
        packed = ratio(taken["smtplog scan -j 2 of the .gz"], taken["gzip -dc of the .gz"], 0)
        lines.append(f"- The gzipped log takes {packed:.2f} of the wall time of `gzip -dc`.")
    return lines


def start():
    """What a log of one line takes more than nothing at all, in ms."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "mail.log")
        Path(log).write_text("Nov 22 03:04:05 mx1 postfix/smtp[12]: 4jXCsJ3c7Hz7j9M: to=<a@example.org>, "
                             "relay=mx.example.org[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n")
        taken = taking_turns([("true", ["true"]), ("scan", [SMTPLOG, "scan", log])], 51)
    return statistics.median(mine[0] - its[0] for mine, its in zip(taken["scan"], taken["true"])) * 1000


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    rustc = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return (f"{model}, {len(os.sched_getaffinity(0))} processors, {platform.system()} {platform.release()}, {rustc}; "
            f"load {os.getloadavg()[0]:.1f} at the beginning; medians of {ROUNDS} rounds in which the commands took turns, "
            "the logs in the page cache.")


out = [machine()]
growth = {}
for mta, log in LOGS:
    out += ["", f"### {os.path.basename(log).removesuffix('.log')}", "", check(log), ""]
    lines, taken, peaks = compare(mta, log)
    out += lines + [""] + told(mta, taken)
    growth.setdefault(mta, []).append((os.path.getsize(log), statistics.median(cpu for _, cpu in taken["smtplog scan -j 1"]),
                                       peaks["smtplog scan -j 1"], peaks["smtplog scan -j 2"]))
out += ["", "### Growth", "", "| | size MiB | CPU ms for each MiB, 1 thread | memory MiB, 1 thread | 2 threads |",
        "|---|--:|--:|--:|--:|"]
for mta, sizes in growth.items():
    for size, cpu, one, two in sizes:
        one, two = ("-" if memory is None else f"{memory:.0f}" for memory in (one, two))
        out.append(f"| {mta} | {size / MIB:.0f} | {cpu * 1000 / (size / MIB):.2f} | {one} | {two} |")
out += ["", f"A log of one line takes {start():.1f} ms more than `true`."]
print("\n".join(out))
if WRITTEN:
    page = Path(WRITTEN)
    before, begin, rest = page.read_text().partition("<!-- compare: begin -->\n")
    _, end, after = rest.partition("<!-- compare: end -->")
    if not end:
        sys.exit(f"{WRITTEN} does not say where the figures belong")
    page.write_text(before + begin + "\n".join(out) + "\n" + end + after)
PYTHON
