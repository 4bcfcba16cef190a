#!/usr/bin/env python3
"""Tests smtplog_fleet.py in a cluster of two executors on this machine.

    SMTPLOG=target/debug/smtplog python3 contrib/spark/test_fleet.py

Needs pyspark 4, Java 17 or newer, and the program smtplog. The logs are generated: eight hosts with four files each.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pyspark
from pyspark.sql import SparkSession

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import smtplog_fleet as fleet  # noqa: E402

SMTPLOG = os.path.abspath(os.environ.get("SMTPLOG", HERE.parent.parent / "target/debug/smtplog"))
NOW = "2026-11-23T00:00:00Z"
#: The program as a task runs it; {real} is smtplog, {marker} a file that does not exist at first.
KILLER = """#!{python}
import os, signal, sys
try:
    is_first = sys.argv[1] != "schema" and os.open({marker!r}, os.O_CREAT | os.O_EXCL) >= 0
except FileExistsError:
    is_first = False
if is_first:
    pid = os.getppid()
    while b"CoarseGrainedExecutorBackend" not in open(f"/proc/{{pid}}/cmdline", "rb").read():
        pid = int(open(f"/proc/{{pid}}/stat").read().rsplit(")", 1)[1].split()[1])
    os.kill(pid, signal.SIGKILL)
os.execv({real!r}, ["smtplog", *sys.argv[1:]])
"""


#: A line of a log and its time.
Stamped = tuple[datetime.datetime, str]


# --- Logs ------------------------------------------------------------------------------------------------------------


def postfix_message(host: str, number: int, at: datetime.datetime, rng: random.Random) -> list[Stamped]:
    """The lines of one message of Postfix."""
    queue_id = f"{0x4F00000000 + number * 7919:010X}"
    name, domain = f"user{rng.randrange(40)}", rng.choice(["example.net", "example.com", "mail.example.net"])
    lines = [
        (0, "smtpd", f"client=client{number % 9}.example.org[192.0.2.{number % 9 + 1}]"),
        (1, "cleanup", f"message-id=<{number}.{host}@example.org>"),
        (1, "qmgr", f"from=<sender{number % 11}@example.org>, size={400 + number}, nrcpt=1 (queue active)"),
    ]
    to = f"to=<{name}@{domain}>, relay=mx.{domain}[198.51.100.{number % 50 + 1}]:25, delay=2.5, delays=0.1/0/0.4/2, "
    if number % 5 == 0:
        words = f"host mx.{domain}[198.51.100.9] said: 451 4.3.0 Try again later (in reply to RCPT TO command)"
        lines.append((4, "smtp", f"{to}dsn=4.3.0, status=deferred ({words})"))
    if number % 7 == 0:
        words = f"host mx.{domain}[198.51.100.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)"
        lines.append((1300, "smtp", f"{to}dsn=5.1.1, status=bounced ({words})"))
    else:
        lines.append((1300 if number % 5 == 0 else 5, "smtp", f"{to}dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)"))
    lines.append((1301 if number % 5 == 0 or number % 7 == 0 else 5, "qmgr", "removed"))
    made = []
    for seconds, daemon, text in lines:
        time = at + datetime.timedelta(seconds=seconds)
        made.append((time, f"{time:%b} {time.day:2} {time:%H:%M:%S} {host} postfix/{daemon}[99]: {queue_id}: {text}"))
    return made


def exim_message(host: str, number: int, at: datetime.datetime, rng: random.Random) -> list[Stamped]:
    """The lines of one message of Exim. The ids of all hosts are the same, as they may be."""
    del host
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    message_id = f"1vLab{signs[number // 3600 % 60]}-0000{signs[number // 60 % 60]}{signs[number % 60]}-2d"
    to = f"user{rng.randrange(40)}@example.net"
    where = "R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.7]"
    failed = f"SMTP error from remote mail server after RCPT TO:<{to}>:"
    lines = [(0, f"<= sender{number % 11}@example.org H=client.example.org [192.0.2.9] P=esmtp S={400 + number}")]
    if number % 5 == 0:
        defer = "R=dnslookup T=remote_smtp defer (-44) H=mx.example.net [198.51.100.7]"
        lines.append((4, f"== {to} {defer}: {failed} 451 4.3.0 Try again later"))
    if number % 7 == 0:
        lines.append((1300, f"** {to} {where}: {failed} 550 5.1.1 User unknown"))
    else:
        lines.append((1300 if number % 5 == 0 else 5, f'=> {to} {where} C="250 OK"'))
    lines.append((1301 if number % 5 == 0 or number % 7 == 0 else 5, "Completed"))
    times = [(at + datetime.timedelta(seconds=seconds), text) for seconds, text in lines]
    return [(time, f"{time:%Y-%m-%d %H:%M:%S} {message_id} {text}") for time, text in times]


def log_lines(number: int) -> list[bytes]:
    """The log of one host, in the order of time. Every second host runs Exim."""
    rng, made = random.Random(number), []
    message = exim_message if number % 2 else postfix_message
    for count in range(850):
        # Three days, so that Parquet has several partitions of a host.
        at = datetime.datetime(2026, 11, 20) + datetime.timedelta(seconds=300 * count + rng.randrange(300))
        made += message(f"mx{number + 1}", count, at, rng)
    return [line.encode() + b"\n" for _, line in sorted(made, key=lambda pair: pair[0])]


def zstd(text: bytes) -> bytes:
    """A frame of Zstandard (RFC 8878) whose blocks are not compressed."""
    blocks, size = [], 1 << 16
    for start in range(0, len(text), size):
        block = text[start : start + size]
        is_last = start + size >= len(text)
        blocks.append((len(block) << 3 | is_last).to_bytes(3, "little") + block)
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks)


def write_host(folder: Path, number: int) -> None:
    """The four files of a host, cut in the middle of messages: gz, zst, and two plain ones."""
    lines = log_lines(number)
    host = folder / f"mx{number + 1}"
    host.mkdir(parents=True)
    # Behind a deferral, for then the message waits.
    waits = [number + 1 for number, line in enumerate(lines) if b"deferred" in line or b" == " in line]
    cuts = [0, *(waits[len(waits) * n // 4] for n in (1, 2, 3)), len(lines)]
    pieces = [b"".join(lines[start:end]) for start, end in zip(cuts, cuts[1:])]
    ids = [set(re.findall(rb"4F[0-9A-F]{8}|1vLab\S+", piece)) for piece in pieces]
    assert all(ids[n] & ids[n + 1] for n in range(3)), "every cut is in the middle of a message"
    (host / "mail-1.gz").write_bytes(gzip.compress(pieces[0], mtime=0))
    (host / "mail-2.zst").write_bytes(zstd(pieces[1]))
    (host / "mail-3.log").write_bytes(pieces[2])
    (host / "mail-4.log").write_bytes(pieces[3])


# --- The cluster -----------------------------------------------------------------------------------------------------


class Cluster:
    """A Spark session, logs, and the program under test."""

    folder: Path
    spark: SparkSession
    #: What killed executors left.
    lost: set[Path] = set()

    @classmethod
    def start(cls) -> None:
        """Starts two executors with one core each."""
        cls.held = tempfile.TemporaryDirectory(prefix="fleet-test-")
        cls.folder = Path(cls.held.name)
        for number in range(8):
            write_host(cls.folder / "logs", number)
        os.environ["PYSPARK_PYTHON"] = sys.executable
        os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        (cls.folder / "work").mkdir()
        os.environ["SPARK_WORKER_DIR"] = str(cls.folder / "work")
        cls.spark = (
            SparkSession.builder.master("local-cluster[2,1,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.local.dir", str(cls.folder / "local"))
            .config("spark.sql.shuffle.partitions", "2")
            # A task that fails for good need not fail four times here.
            .config("spark.task.maxFailures", "3")
            .getOrCreate()
        )
        cls.spark.sparkContext.setLogLevel("OFF")
        cls.spark.sparkContext.addPyFile(str(HERE / "smtplog_fleet.py"))

    @classmethod
    def stop(cls) -> None:
        """Ends the executors."""
        cls.spark.stop()
        cls.held.cleanup()


def setUpModule() -> None:
    Cluster.start()


def tearDownModule() -> None:
    Cluster.stop()


def run_job(*words: str) -> tuple[int, bytes, str]:
    """Status, standard output and standard error of a job."""
    output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = fleet.main(words)
    return status, output.buffer.getvalue(), errors.getvalue()  # type: ignore[attr-defined]


def smtplog(*words: str) -> bytes:
    """What smtplog prints on one machine."""
    return subprocess.run(
        [SMTPLOG, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=fleet.environment(), check=True
    ).stdout


def report_words(*options: str, program: Optional[str] = None) -> list[str]:
    """The arguments of a job that reports as JSON."""
    named = ["--smtplog", program or SMTPLOG, "--scan=--year=2026", f"--scan=--now={NOW}"]
    return ["report", *named, "--format=json", f"--merge=--now={NOW}", "--merge=--who", "--merge=--delays", *options]


def scan_of(files: list[str], pattern: str = "{host}/*") -> dict[str, Any]:
    """The report of one scan of the files, in the order of the merge."""
    options = [
        "--tz=UTC",
        "--year=2026",
        f"--now={NOW}",
        f"--host-from={pattern}",
        "--format=json",
        "--who",
        "--delays",
    ]
    return json.loads(smtplog("scan", *options, "--", *files))


class FleetCase(unittest.TestCase):
    maxDiff = 4000

    def setUp(self) -> None:
        held = tempfile.TemporaryDirectory(prefix="fleet-case-", dir=Cluster.folder)
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)
        self.logs = f"{Cluster.folder}/logs/*/mail-*"

    def tearDown(self) -> None:
        # Spark ends tasks of a job that failed a little later.
        end = time.monotonic() + 10
        while (left := self.scratch_folders() - Cluster.lost) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(left, set(), "folders that tasks left")

    def scratch_folders(self) -> set[Path]:
        """The folders in which tasks work."""
        return {path for path in Cluster.folder.glob("local/**/smtplog-*") if path.is_dir()}

    def assert_killed(self, killer: str) -> None:
        """An executor was killed. Its folders go when Spark ends."""
        self.assertTrue(os.path.exists(f"{killer}.killed"), "no executor was killed")
        Cluster.lost |= self.scratch_folders()

    def program(self, name: str, text: str) -> str:
        """A program in place of smtplog. Executors that start later need it too, so it stays."""
        path = Cluster.folder / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def killer(self, name: str) -> str:
        """smtplog, but the first task that runs it loses its executor."""
        marker = str(Cluster.folder / f"programs/{name}.killed")
        return self.program(name, KILLER.format(python=sys.executable, real=SMTPLOG, marker=marker))

    def json_report(self, *options: str, program: Optional[str] = None) -> dict[str, Any]:
        status, output, errors = run_job(*report_words(*options, program=program))
        self.assertEqual((status, errors), (0, ""))
        return json.loads(output)


class Report(FleetCase):
    def test_it_is_the_report_of_one_scan(self) -> None:
        merged = self.json_report("--fan-in=2", self.logs)
        files = merged["input"]["files"]
        self.assertEqual(sorted(files), sorted(str(path) for path in (Cluster.folder / "logs").glob("*/*")))
        self.assertEqual(merged, scan_of(files))
        # Not a report of nothing.
        self.assertEqual(len(merged["hosts"]), 8)
        self.assertGreater(sum(row["attempts"] for row in merged["rows"]), 7000)
        self.assertEqual(self.json_report(self.logs), merged, "without a tree")

    def test_a_killed_executor_changes_nothing(self) -> None:
        usual = self.json_report(self.logs)
        killer = self.killer("killer-report")
        self.assertEqual(self.json_report("--fan-in=2", self.logs, program=killer), usual)
        self.assert_killed(killer)

    def test_all_damaged_files_are_named(self) -> None:
        for number in (0, 1, 2):
            write_host(self.folder, number)
        for host in ("mx1", "mx3"):
            path = self.folder / host / "mail-1.gz"
            path.write_bytes(path.read_bytes()[:-200])
        status, output, errors = run_job(*report_words(f"{self.folder}/*/mail-*"))
        self.assertEqual((status, output), (2, b""))
        for host in ("mx1", "mx3"):
            self.assertRegex(
                errors, rf"(?m)^smtplog_fleet: {host} .*ended with status 2: .*{host}/mail-1\.gz.* past byte"
            )
        self.assertNotIn("mx2", errors)

    def test_what_is_no_log_is_status_3(self) -> None:
        write_host(self.folder, 0)
        (self.folder / "mx9").mkdir()
        (self.folder / "mx9" / "mail-1").write_text("".join(f"this is no log {n}\n" for n in range(500)))
        status, output, errors = run_job(*report_words(f"{self.folder}/*/mail-*"))
        self.assertEqual((status, output), (3, b""))
        self.assertRegex(errors, r"mx9 \(.*/mx9/mail-1\): .*none of 500 lines was understood")

    def test_the_message_of_smtplog_arrives(self) -> None:
        status, _, errors = run_job(*report_words("--scan=--reason=no-such-reason", self.logs))
        self.assertEqual(status, 2)
        self.assertIn("no-such-reason", errors)

    def test_hosts_that_overlap_are_named(self) -> None:
        write_host(self.folder, 0)
        (self.folder / "mx1").rename(self.folder / "copy")
        write_host(self.folder, 0)
        with (self.folder / "copy" / "mail-4.log").open("ab") as log:
            log.write(b"Nov 23 00:00:00 mx1 postfix/qmgr[1]: 4F1A2B3C4D: removed\n")
        for options in ([], ["--fan-in=2"]):
            status, output, errors = run_job(*report_words(*options, f"{self.folder}/*/mail-*"))
            self.assertEqual((status, output), (2, b""))
            self.assertRegex(errors, r"(copy|mx1)\.part: it and (copy|mx1)\.part both hold lines of mx1")

    def test_a_run_that_takes_too_long_is_ended(self) -> None:
        slow = self.program("slow", f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
        status, _, errors = run_job(*report_words("--timeout=1", self.logs, program=slow))
        self.assertEqual(status, 2)
        self.assertRegex(errors, r"mx1 .*: slow was ended after 1 s \(--timeout\)")

    def test_a_program_that_crashes_is_tried_again(self) -> None:
        marker = str(self.folder / "crashed")
        text = f"#!{sys.executable}\nimport os, sys\nif not os.path.exists({marker!r}):\n"
        text += f"    open({marker!r}, 'w')\n    os.abort()\n"
        text += f"os.execv({SMTPLOG!r}, ['smtplog', *sys.argv[1:]])\n"
        self.assertEqual(self.json_report(self.logs, program=self.program("crash", text)), self.json_report(self.logs))
        self.assertTrue(os.path.exists(marker))

    def test_a_program_that_may_not_be_run_is_copied(self) -> None:
        plain = self.folder / "plain"
        plain.write_bytes(Path(SMTPLOG).read_bytes())
        plain.chmod(0o600)
        # For root too, a file without an x bit cannot be run.
        log = str(Cluster.folder / "logs/mx1/mail-*")
        merged = self.json_report("--installed", log, program=str(plain))
        self.assertEqual(merged, scan_of(merged["input"]["files"]))

    def test_the_report_goes_to_a_file(self) -> None:
        target = self.folder / "report.csv"
        words = ["report", "--smtplog", SMTPLOG, "--scan=--year=2026", "-o", str(target), self.logs]
        self.assertEqual(run_job(*words), (0, b"", ""))
        self.assertTrue(target.read_text().startswith("direction,outcome,"), target.read_text()[:80])


class Names(FleetCase):
    def test_hostile_names_of_files_are_only_names(self) -> None:
        names = [
            "-rf",
            "--help",
            "a b.log",
            "quo'te\".log",
            "new\nline.log",
            "$(touch x);`id`",
            "*",
            "[a-z]?",
            "{from}",
        ]
        lines = log_lines(0)
        host = self.folder / "mx1"
        host.mkdir()
        step = -(-len(lines) // (len(names) + 1))
        for number, name in enumerate(sorted(names, key=fleet.natural_key)):
            (host / name).write_bytes(b"".join(lines[step * number : step * (number + 1)]))
        with open(os.path.join(os.fsencode(host), b"\xff.log"), "wb") as log:
            log.write(b"".join(lines[step * len(names) :]))
        listed = [os.path.join(host, name) for name in os.listdir(host)]
        listing = self.folder / "listing"
        listing.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in listed))
        merged = self.json_report(f"{self.folder}/*/*")
        self.assertEqual(self.json_report("--files-from", str(listing)), merged)
        by_key = sorted(listed, key=fleet.natural_key)
        self.assertEqual(merged, scan_of(by_key))
        fetched = self.json_report("--fetch=cp -p -- {from} {to}", "--files-from", str(listing))
        self.assertEqual(without_paths(fetched), without_paths(merged))

    def test_a_path_without_a_host_is_named(self) -> None:
        (self.folder / "m x\n").mkdir()
        (self.folder / "m x\n" / "mail.log").write_text("")
        status, _, errors = run_job(*report_words(f"{self.folder}/*/mail.log"))
        self.assertEqual(status, 2)
        self.assertIn("m x\\n/mail.log by --host-from {host}/*", errors)

    def test_what_cannot_be_read_is_named(self) -> None:
        for argument, words in [
            (f"{self.folder}/none*", "no log found"),
            (str(self.folder), "is a directory"),
            ("/dev/null", "is no regular file"),
        ]:
            status, _, errors = run_job(*report_words(argument))
            self.assertEqual(status, 2, argument)
            self.assertIn(words, errors)

    def test_options_that_would_write_are_refused(self) -> None:
        for option in ("--state=x", "-o", "-ox", "--part", "--unparsed=y", "file"):
            status, _, errors = run_job(*report_words(f"--scan={option}", self.logs))
            self.assertEqual((status, errors), (2, f"smtplog_fleet: --scan={option} is not possible\n"))

    def test_the_pattern_is_that_of_smtplog(self) -> None:
        for pattern, path, host in [
            ("logs/{host}/*", "logs/mx1/mainlog", "mx1"),
            ("logs/{host}/*", "/srv/logs/mx1.example.org/mainlog.1.gz", "mx1.example.org"),
            ("{host}/*", "./mx1/mainlog", "mx1"),
            ("{host}-mail.log*", "/srv/mx1-mail.log.2.gz", "mx1"),
            ("mail-{host}.log", "mail-mx-1.log", "mx-1"),
            ("*-{host}.log", "mail-mx-1.log", "mx-1"),
            ("/srv/{host}/*/mainlog", "/srv/mx1/exim/mainlog", "mx1"),
            ("/srv/{host}/*", "/x/srv/mx1/mainlog", None),
            ("logs/{host}/*", "mainlog", None),
            ("logs/{host}/*", "other/mx1/mainlog", None),
            ("{host}/*", "s3a://bucket/mx1/mainlog", "mx1"),
            ("{host}/*", "/srv/m x/mainlog", None),
            ("{host}/*", "/srv/a:b/mainlog", None),
        ]:
            self.assertEqual(fleet.HostPattern(pattern).host_of(path), host, (pattern, path))
        for pattern in ("", "logs/*", "{host}/{host}"):
            self.assertRaises(fleet.FleetError, fleet.HostPattern, pattern)


def without_paths(value: Any) -> Any:
    """A report without the names of files."""
    if isinstance(value, dict):
        return {key: without_paths(item) for key, item in value.items() if key not in ("files", "file")}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    return value


class Fetch(FleetCase):
    def test_logs_of_a_store_are_copied_to_the_task(self) -> None:
        # viewfs is a file system that only Hadoop knows, as s3a is.
        mount, target = "fs.viewfs.mounttable.logs.link./srv", (Cluster.folder / "logs").as_uri()
        Cluster.spark.sparkContext._jsc.hadoopConfiguration().set(mount, target)
        site = f"<configuration><property><name>{mount}</name><value>{target}</value></property></configuration>"
        (self.folder / "core-site.xml").write_text(site)
        shell = Path(os.environ["SPARK_HOME"]) / "bin/spark-class"
        command = f"env HADOOP_CONF_DIR={self.folder} {shell} org.apache.hadoop.fs.FsShell -get -p {{from}} {{to}}"
        merged = self.json_report(f"--fetch={command}", "viewfs://logs/srv/mx1/mail-*", "viewfs://logs/srv/mx2/mail-*")
        local = self.json_report(f"{Cluster.folder}/logs/mx1/*", f"{Cluster.folder}/logs/mx2/*")
        self.assertEqual(merged["input"]["files"][0], "./logs/srv/mx1/mail-1.gz")
        self.assertEqual(without_paths(merged), without_paths(local))
        status, _, errors = run_job(*report_words("viewfs://logs/srv/mx1/mail-*"))
        self.assertEqual(status, 2)
        self.assertIn("give --fetch", errors)

    def test_a_log_that_cannot_be_copied_is_named(self) -> None:
        status, _, errors = run_job(*report_words("--fetch=cp {from}.none {to}", f"{Cluster.folder}/logs/mx1/*"))
        self.assertEqual(status, 2)
        self.assertRegex(errors, r"mx1: cannot fetch .*/mx1/mail-1\.gz: status 1: cp: ")


class Events(FleetCase):
    def written(self, *options: str, program: Optional[str] = None) -> tuple[int, str]:
        words = ["events", "--smtplog", program or SMTPLOG, "--scan=--year=2026", "--out", str(self.folder / "events")]
        status, output, errors = run_job(*words, *options)
        self.assertEqual(output, b"")
        return status, errors

    def rows(self) -> Counter[str]:
        """The events in the Parquet files, without the columns of the partitions."""
        names, _ = fleet.event_schema(SMTPLOG, 60)
        table = Cluster.spark.read.parquet(str(self.folder / "events"))
        self.assertEqual(set(table.columns), {*names, "day", "log_host"})
        rows = []
        for row in table.collect():
            event = row.asDict()
            self.assertEqual(f"{event['time']:%Y-%m-%d}", str(event.pop("day")))
            host = event.pop("log_host")
            self.assertIn(f"/{host}/", event["file"])
            event["time"] = event["time"].replace(tzinfo=datetime.timezone.utc).isoformat()
            rows.append(json.dumps(event, sort_keys=True))
        return Counter(rows)

    def events(self, hosts: Iterator[str]) -> Counter[str]:
        """The events of each host, made on one machine."""
        lines = []
        for host in hosts:
            files = sorted(str(path) for path in (Cluster.folder / "logs" / host).iterdir())
            lines += smtplog(
                "events", "--format=ndjson", "--tz=UTC", "--year=2026", f"--host={host}", *files
            ).splitlines()
        return Counter(json.dumps(json.loads(line), sort_keys=True) for line in lines)

    def setUp(self) -> None:
        super().setUp()
        # Rows have naive times in the zone of this process.
        os.environ["TZ"] = "UTC"
        time.tzset()

    def test_parquet_has_the_events_of_one_machine(self) -> None:
        killer = self.killer("killer-events")
        status, errors = self.written(self.logs, program=killer)
        self.assertEqual(status, 0, errors)
        self.assert_killed(killer)
        expected = self.events(f"mx{n}" for n in range(1, 9))
        self.assertIn(f"wrote {sum(expected.values()):,} events of 8 hosts", errors)
        self.assertEqual(self.rows(), expected)
        folders = {str(path.parent.relative_to(self.folder)) for path in self.folder.glob("events/**/*.parquet")}
        self.assertIn("events/day=2026-11-21/log_host=mx3", folders)
        self.assertEqual(len(folders), 24)
        # Again: an error, or the same once.
        status, errors = self.written(self.logs)
        self.assertEqual(status, 2)
        self.assertEqual(errors.splitlines()[0].split(";")[0], f"smtplog_fleet: {self.folder}/events already exists")
        status, _ = self.written("--replace", f"{Cluster.folder}/logs/mx1/*")
        self.assertEqual((status, self.rows()), (0, expected))

    def test_a_damaged_file_changes_no_output(self) -> None:
        status, _ = self.written(f"{Cluster.folder}/logs/mx1/*")
        before = self.rows()
        for number in (0, 1):
            write_host(self.folder, number)
        path = self.folder / "mx2" / "mail-1.gz"
        path.write_bytes(path.read_bytes()[:-200])
        status, errors = self.written("--replace", f"{self.folder}/mx*/mail-*")
        self.assertEqual(status, 2)
        self.assertRegex(errors, r"^smtplog_fleet: mx2 .*events ended with status 2: .*/mx2/mail-1\.gz.* past byte")
        self.assertEqual(self.rows(), before)

    def test_a_program_with_other_fields_is_refused(self) -> None:
        text = (
            f"#!{sys.executable}\nimport os, sys\nif sys.argv[1] == 'events':\n    print('{{\"time\":null}}')\nelse:\n"
        )
        text += f"    os.execv({SMTPLOG!r}, ['smtplog', *sys.argv[1:]])\n"
        status, errors = self.written(f"{Cluster.folder}/logs/mx1/*", program=self.program("other", text))
        self.assertEqual(status, 2)
        self.assertIn("fields are not those of `smtplog schema event`", errors)


class Submit(FleetCase):
    def test_spark_submit_ships_the_program(self) -> None:
        shipped = self.folder / "smtplog"
        shipped.write_bytes(Path(SMTPLOG).read_bytes())
        command = [
            str(Path(os.environ["SPARK_HOME"]) / "bin/spark-submit"),
            "--master",
            "local[2]",
            "--files",
            str(shipped),
        ]
        words = [word for word in report_words(self.logs) if word not in ("--smtplog", SMTPLOG)]
        environment = {name: value for name, value in os.environ.items() if name != "PYSPARK_GATEWAY_PORT"}
        done = subprocess.run(
            [*command, str(HERE / "smtplog_fleet.py"), *words], capture_output=True, env=environment, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(json.loads(done.stdout), self.json_report(self.logs))


if __name__ == "__main__":
    unittest.main(verbosity=2)
