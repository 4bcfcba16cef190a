#!/usr/bin/env python3
"""Reports on the mail logs of many hosts with Apache Spark, one task a host.

    spark-submit smtplog_fleet.py report --smtplog ./smtplog '/srv/logs/*/mail.log*'
    spark-submit smtplog_fleet.py events --smtplog ./smtplog --out DIR '/srv/logs/*/mail.log*'

`report` makes a part of each host's logs with `smtplog scan --part`, merges the parts in a tree, and prints the report
of `smtplog merge`. `events` writes single events as Parquet, partitioned by day and host. docs/spark.md describes both.

A task only reads its files and returns what smtplog printed, so Spark may run it again, or twice.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Optional

from pyspark import RDD, SparkFiles
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DataType, LongType, StringType, StructField, StructType

#: Options of `scan` that the job sets itself, or that write files: a task that runs twice would write them twice.
REFUSED_OPTIONS = (
    *("--part", "--state", "--output", "-o", "--unparsed", "--baseline", "--format", "--journal"),
    *("--host", "--host-from", "--tz", "--utc", "--threads", "-j"),
)

#: The statuses of smtplog that another run of the same task would not change.
FINAL_STATUSES = (1, 2, 3)

#: A message between these reaches the driver through the stack trace of Spark.
BEGIN, END = "<smtplog-fleet: ", " :smtplog-fleet>"

#: Names of files, and lines of standard error, that an error shows.
SHOWN_NAMES, SHOWN_LINES = 3, 8

#: How a task ended: a number, its hosts, the part, and the status and message of smtplog if there is no part.
Made = tuple[int, list[str], bytes, int, str]


class FleetError(Exception):
    """What to tell the user, one line each, and the exit status."""

    def __init__(self, lines: Sequence[str], status: int = 2) -> None:
        super().__init__("; ".join(lines))
        self.lines = list(lines)
        self.status = status


@dataclass(frozen=True)
class LogFile:
    """A log: its path or URI; bytes and seconds since 1970, as far as the driver knows them."""

    path: str
    size: int = 0
    modified: Optional[float] = None


@dataclass(frozen=True)
class HostLogs:
    """All logs of one host: the work of one task."""

    host: str
    files: tuple[LogFile, ...]

    def shown_files(self) -> str:
        """The names of the first files."""
        names = [shown(file.path) for file in self.files[:SHOWN_NAMES]]
        more = len(self.files) - len(names)
        return ", ".join(names + ([f"{more:,} more"] if more else []))


@dataclass(frozen=True)
class Settings:
    """How tasks run smtplog."""

    #: The name that SparkFiles knows, or an absolute path that every executor has.
    program: str
    zone: str
    threads: int
    #: Seconds for one run of smtplog.
    timeout: float
    scan_options: tuple[str, ...] = ()
    #: The command that copies {from} to {to}; empty: tasks read the files where they lie.
    fetch: tuple[str, ...] = ()


# --- What runs in a task ---------------------------------------------------------------------------------------------


def shown(text: str) -> str:
    """The text without control characters, and without bytes that are not UTF-8."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def marked(message: str) -> RuntimeError:
    """An error whose message `message_in` finds again."""
    return RuntimeError(f"{BEGIN}{message}{END}")


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder that is removed at the end, where the executor keeps its own files if it has such a place.

    If the executor is killed, whoever removes the executor's files removes this folder too.
    """
    places = [path for path in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if os.path.isdir(path)]
    with tempfile.TemporaryDirectory(prefix="smtplog-", dir=places[0] if places else None) as folder:
        yield folder


def executable(program: str, scratch: str) -> str:
    """The path of a program that can be run; a copy in the scratch folder if the shipped file cannot."""
    places = [program] if os.path.isabs(program) else [SparkFiles.get(program), os.path.abspath(program)]
    path = next((path for path in places if os.path.isfile(path)), None)
    if path is None:
        raise marked(f"no program {shown(program)} on this machine (looked for {shown(', '.join(places))})")
    if os.access(path, os.X_OK):
        return path
    copy = os.path.join(scratch, "smtplog")
    if not os.path.exists(copy):
        shutil.copyfile(path, copy)
        os.chmod(copy, 0o700)
    return copy


def environment() -> dict[str, str]:
    """The environment of smtplog: no configuration file, and messages in English."""
    return {**os.environ, "SMTPLOG_NO_CONFIG": "1", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


def run(command: Sequence[str], timeout: float, cwd: Optional[str] = None) -> tuple[int, bytes, bytes]:
    """Runs a command without a shell; its status, standard output and standard error.

    Raises an error, so that Spark tries again elsewhere, if it cannot be started or was killed.
    """
    name = shown(os.path.basename(command[0]))
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            cwd=cwd,
            env=environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 2, b"", f"{name} was ended after {timeout:g} s (--timeout)".encode()
    except OSError as error:
        raise marked(f"cannot run {name}: {error.strerror}") from None
    if done.returncode < 0:
        raise marked(f"{name} was killed by signal {-done.returncode}; 9 is often a lack of memory")
    return done.returncode, done.stdout, done.stderr


def reason(errors: bytes) -> str:
    """What a program wrote to standard error, as one line."""
    lines = [line.removeprefix("smtplog: ") for line in errors.decode("utf-8", "replace").splitlines()]
    kept = [shown(line) for line in lines if line.strip()]
    more = len(kept) - SHOWN_LINES
    return "; ".join(kept[:SHOWN_LINES] + ([f"{more} more lines"] if more > 0 else []))[:4000]


def failure(logs: HostLogs, command: str, status: int, errors: bytes) -> str:
    """One line: the host, its files, and smtplog's own message."""
    ended = f"smtplog {command} ended with status {status}"
    return f"{shown(logs.host)} ({logs.shown_files()}): {ended}: {reason(errors) or 'without a message'}"


def is_uri(path: str) -> bool:
    """Whether it is no path of a file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path) is not None


def path_names(path: str) -> list[str]:
    """The names in a path, or in a URI without its scheme."""
    text = path.split("://", 1)[1] if is_uri(path) else path
    return [name for name in text.split("/") if name not in ("", ".")]


def local_name(path: str) -> str:
    """The path that a fetched log gets below the scratch folder: that of its source, without the scheme."""
    return os.path.join(".", *(name for name in path_names(path) if name != ".."))


def fetched(logs: HostLogs, settings: Settings, scratch: str) -> list[str]:
    """The paths to read. With --fetch, copies in the scratch folder, as relative paths."""
    if not settings.fetch:
        return [file.path for file in logs.files]
    names = []
    for file in logs.files:
        name = local_name(file.path)
        target = os.path.join(scratch, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        filled = {"{from}": file.path, "{to}": target}
        command = [re.sub(r"\{(from|to)\}", lambda found: filled[found.group()], word) for word in settings.fetch]
        status, _, errors = run(command, settings.timeout)
        if status != 0 or not os.path.isfile(target):
            # A store that does not answer may answer the next attempt of the task.
            raise marked(f"{shown(logs.host)}: cannot fetch {shown(file.path)}: status {status}: {reason(errors)}")
        if file.modified is not None:
            os.utime(target, (file.modified, file.modified))
        names.append(name)
    return names


def smtplog_command(subcommand: Sequence[str], logs: HostLogs, settings: Settings, scratch: str) -> list[str]:
    """The command that reads the logs of one host."""
    options = [f"--host={logs.host}", f"--tz={settings.zone}", f"--threads={settings.threads}", *settings.scan_options]
    files = fetched(logs, settings, scratch)
    return [executable(settings.program, scratch), *subcommand, *options, "--", *files]


def make_part(number: int, logs: HostLogs, settings: Settings) -> Made:
    """Counts the logs of one host."""
    with scratch_folder() as scratch:
        command = smtplog_command(["scan", "--part=-"], logs, settings, scratch)
        status, part, errors = run(command, settings.timeout, scratch)
    if status in FINAL_STATUSES:
        return number, [logs.host], b"", status, failure(logs, "scan", status, errors)
    if status != 0:
        raise marked(failure(logs, "scan", status, errors))
    return number, [logs.host], part, 0, ""


def part_name(hosts: Sequence[str]) -> str:
    """The name by which errors of `merge` know a part."""
    name = hosts[0] if len(hosts) == 1 else f"{hosts[0]}_and_{len(hosts) - 1}_more"
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip("-.")[-200:] + ".part"


def write_part(made: Made, scratch: str) -> str:
    """Writes a part to a file and returns its path."""
    number, hosts, part, _, _ = made
    os.mkdir(folder := os.path.join(scratch, str(number)))
    path = os.path.join(folder, part_name(hosts))
    with open(path, "wb") as file:
        file.write(part)
    return path


def merge_message(errors: bytes, scratch: str) -> str:
    """The message of `merge`, in which parts are named by their hosts."""
    return reason(re.sub(re.escape(os.fsencode(scratch)) + rb"/\d+/", b"", errors))


def merge_parts(number: int, made: Iterable[Made], settings: Settings) -> Iterator[Made]:
    """Merges some parts to one. If some are missing, yields why. Holds one part in memory at a time."""
    paths, hosts, has_failed = [], [], False
    with scratch_folder() as scratch:
        for one in made:
            if one[3] != 0:
                has_failed = True
                yield (number, *one[1:])
            else:
                paths.append(write_part(one, scratch))
                hosts += one[1]
        if has_failed:
            return
        program = executable(settings.program, scratch)
        command = [program, "merge", f"--tz={settings.zone}", "--part=-", "--", *paths]
        status, part, errors = run(command, settings.timeout)
        message = f"smtplog merge ended with status {status}: {merge_message(errors, scratch)}"
    if status not in (0, *FINAL_STATUSES):
        raise marked(message)
    yield number, sorted(hosts), part if status == 0 else b"", status, message if status else ""


def event_lines(logs: HostLogs, settings: Settings, fields: Sequence[str]) -> Iterator[str]:
    """The events of one host as lines of JSON, with the host of the logs as `log_host`."""
    head = '{"log_host":' + json.dumps(logs.host) + ","
    with scratch_folder() as scratch, tempfile.TemporaryFile(dir=scratch) as errors:
        command = smtplog_command(["events", "--format=ndjson"], logs, settings, scratch)
        for number, line in enumerate(output_lines(command, settings.timeout, scratch, errors, logs)):
            if number == 0 and (odd := set(json.loads(line)) ^ set(fields)):
                raise marked(f"{shown(logs.host)}: fields are not those of `smtplog schema event`: {sorted(odd)}")
            yield head + line[1:]


def output_lines(command: Sequence[str], timeout: float, cwd: str, errors: IO[bytes], logs: HostLogs) -> Iterator[str]:
    """The lines that smtplog prints. Raises an error at the end if it failed."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=cwd, env=environment()
    )
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            yield line.decode("utf-8").rstrip("\n")
        status = process.wait()
    finally:
        in_time = timer.is_alive()
        timer.cancel()
        process.kill()
        process.wait()
    if status != 0:
        errors.seek(0)
        late = b"" if in_time else f"it was ended after {timeout:g} s (--timeout)".encode()
        raise marked(failure(logs, "events", status, late or errors.read()))


# --- What runs on the driver -----------------------------------------------------------------------------------------


class HostPattern:
    """A pattern for the end of a path, as that of smtplog's `--host-from`: `{host}` is the name, `*` is anything."""

    def __init__(self, text: str) -> None:
        if text.count("{host}") != 1:
            raise FleetError([f"--host-from {shown(text)}: must have {{host}} once, as in 'logs/{{host}}/*'"])
        self.text = text
        self.is_absolute = text.startswith("/")
        self.parts = [re.compile(self._expression(part), re.DOTALL) for part in text.split("/") if part]

    @staticmethod
    def _expression(part: str) -> str:
        words = {"*": ".*?", "{host}": "(?P<host>.+?)"}
        return "".join(words.get(piece, re.escape(piece)) for piece in re.split(r"(\*|\{host\})", part))

    def host_of(self, path: str) -> Optional[str]:
        """The host; None if the path does not match, or the name has blanks, a colon or control characters."""
        names = path_names(path)
        if len(names) < len(self.parts) or self.is_absolute and len(names) != len(self.parts):
            return None
        host = None
        for expression, name in zip(self.parts, names[-len(self.parts) :]):
            match = expression.fullmatch(name)
            if match is None:
                return None
            host = match.groupdict().get("host", host)
        is_name = host is not None and len(os.fsencode(host)) <= 255
        return host if is_name and host.isprintable() and not re.search(r"[\s:]", host) else None


def files_of(spark: SparkSession, argument: str) -> list[LogFile]:
    """The logs that an argument names: a path, a pattern with *, ? and [], or a URI that Hadoop knows."""
    path = argument.removeprefix("file://")
    if is_uri(path):
        return remote_files(spark, path)
    path = os.path.abspath(path)
    if os.path.isdir(path):
        raise FleetError([f"{shown(path)} is a directory: name its logs, as in '{shown(path)}/*/mail.log*'"])
    found = [path] if os.path.lexists(path) else sorted(glob.glob(path, recursive=True))
    regular = []
    for name in found:
        try:
            status = os.stat(name)
        except OSError as error:
            raise FleetError([f"cannot read {shown(name)}: {error.strerror}"]) from None
        if stat.S_ISREG(status.st_mode):
            regular.append(LogFile(name, status.st_size, status.st_mtime))
        elif name == path:
            raise FleetError([f"{shown(name)} is no regular file"])
    if not regular:
        raise FleetError([f"no log found: {shown(argument)}"])
    return regular


def remote_files(spark: SparkSession, pattern: str) -> list[LogFile]:
    """The files of a store, by the driver's Hadoop client. Executors have none for Python; they run --fetch."""
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    path = jvm.org.apache.hadoop.fs.Path(pattern)
    found = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).globStatus(path) or []
    files = [
        LogFile(status.getPath().toString(), status.getLen(), status.getModificationTime() / 1000 or None)
        for status in found
        if status.isFile()
    ]
    if not files:
        raise FleetError([f"no log found: {shown(pattern)}"])
    return files


def natural_key(path: str) -> list[tuple[int, str]]:
    """Sorts mail-2 before mail-10."""
    return [(int(text), "") if text.isdecimal() else (0, text) for text in re.split(r"([0-9]+)", path)]


def by_host(files: Iterable[LogFile], pattern: HostPattern) -> list[tuple[int, HostLogs]]:
    """The logs of each host, numbered by the names of the hosts, so that a tree of merges keeps their order.

    The largest host comes first, so that no task begins a large one late.
    """
    hosts: dict[str, dict[str, LogFile]] = {}
    without = []
    for file in files:
        host = pattern.host_of(file.path)
        if host is None:
            without.append(file.path)
        else:
            hosts.setdefault(host, {})[file.path] = file
    if without:
        lines = [f"no host in the path {shown(path)} by --host-from {shown(pattern.text)}" for path in without[:10]]
        more = [f"{len(without) - 10:,} more"] if len(without) > 10 else []
        raise FleetError(lines + more + ["a host name has no blanks, no colon and no control characters"])
    logs = [
        HostLogs(host, tuple(sorted(hosts[host].values(), key=lambda file: natural_key(file.path))))
        for host in sorted(hosts)
    ]
    return sorted(enumerate(logs), key=lambda numbered: -sum(file.size for file in numbered[1].files))


def tasks(spark: SparkSession, args: argparse.Namespace) -> list[tuple[int, HostLogs]]:
    """The work of all tasks."""
    files = [file for argument in args.logs for file in files_of(spark, argument)]
    if args.files_from is not None:
        with open(args.files_from, "rb") as listing:
            names = [os.fsdecode(name) for name in listing.read().split(b"\0") if name]
        files += [LogFile(name if is_uri(name) else os.path.abspath(name)) for name in names]
    if not files:
        raise FleetError(["no logs: name them, or give --files-from"])
    remote = next((file.path for file in files if is_uri(file.path)), None)
    if remote is not None and not args.fetch:
        raise FleetError([f"{shown(remote)}: smtplog reads files; mount the store, or give --fetch (docs/spark.md)"])
    return by_host(files, HostPattern(args.host_from))


def message_in(error: BaseException) -> Optional[str]:
    """The message of a task in the error of a job."""
    found = re.search(re.escape(BEGIN) + "(.*?)" + re.escape(END), str(error), re.DOTALL)
    return found.group(1) if found else None


@contextlib.contextmanager
def task_errors() -> Iterator[None]:
    """Turns an error of a task into its message."""
    try:
        yield
    except Exception as error:
        message = message_in(error)
        if message is None:
            raise
        raise FleetError([message], 3 if "ended with status 3:" in message else 2) from None


def merged_in_tree(parts: RDD[Made], count: int, fan_in: int, settings: Settings) -> RDD[Made]:
    """Merges parts, `fan_in` in a task, until one is left; the driver can merge up to `fan_in` by itself.

    Part number n is in group n / fan_in, and the group is the number of the merged part.
    """
    if count <= fan_in:
        return parts
    while count > 1:
        count = -(-count // fan_in)
        grouped = parts.map(lambda made: (made[0] // fan_in, made)).partitionBy(count, lambda group: group)
        parts = grouped.mapPartitionsWithIndex(
            lambda group, made: merge_parts(group, (part for _, part in made), settings)
        )
    return parts


def report(spark: SparkSession, args: argparse.Namespace, settings: Settings) -> int:
    """Prints the report of all hosts. Returns the exit status of `smtplog merge`."""
    logs = tasks(spark, args)
    parts = spark.sparkContext.parallelize(logs, len(logs)).map(lambda host: make_part(*host, settings))
    with task_errors():
        made = merged_in_tree(parts, len(logs), args.fan_in, settings).collect()
    failed = sorted((part[1], part[3], part[4]) for part in made if part[3] != 0)
    if failed:
        raise FleetError([message for _, _, message in failed], max(status for _, status, _ in failed))
    options = [f"--tz={settings.zone}", *args.merge]
    if args.output is not None:
        options.append(f"--output={os.path.abspath(args.output)}")
    if args.format is not None:
        options.append(f"--format={args.format}")
    with scratch_folder() as scratch:
        paths = [write_part(part, scratch) for part in made]
        program = executable(settings.program, scratch)
        status, output, errors = run([program, "merge", *options, "--", *paths], settings.timeout)
        print_bytes(output)
        if errors:
            print(f"smtplog_fleet: {merge_message(errors, scratch)}", file=sys.stderr)
    return status


def print_bytes(output: bytes) -> None:
    """Writes to standard output, also where that is a notebook."""
    sys.stdout.flush()
    try:
        if hasattr(sys.stdout, "buffer"):
            sys.stdout.buffer.write(output)
        else:
            sys.stdout.write(output.decode("utf-8", "replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has enough. Python would complain again when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def event_schema(program: str, timeout: float) -> tuple[list[str], StructType]:
    """The fields of an event in the order of the JSON, and the schema of the lines that tasks make."""
    status, output, errors = run([program, "schema", "event"], timeout)
    if status != 0:
        raise FleetError([f"smtplog schema event ended with status {status}: {reason(errors)}"])
    schema: dict[str, Any] = json.loads(output)
    names = list(dict.fromkeys([*schema["required"], *schema["properties"]]))
    columns = [StructField(name, column_type(schema["properties"][name], schema["$defs"])) for name in names]
    return names, StructType([StructField("log_host", StringType()), *columns])


def column_type(field: dict[str, Any], definitions: dict[str, Any]) -> DataType:
    """The type of a column; a string for whatever is not a number or true or false."""
    while "$ref" in field:
        field = definitions[field["$ref"].rsplit("/", 1)[1]]
    choices = [choice for choice in field.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        return column_type(choices[0], definitions)
    kind = field.get("type")
    kinds = set(kind if isinstance(kind, list) else [kind]) - {"null"}
    types: dict[str, DataType] = {"integer": LongType(), "boolean": BooleanType()}
    return types.get(kinds.pop(), StringType()) if len(kinds) == 1 else StringType()


def events(spark: SparkSession, args: argparse.Namespace, settings: Settings) -> int:
    """Writes the events of all hosts as Parquet files, in one step at the end of the job."""
    logs = tasks(spark, args)
    with scratch_folder() as scratch:
        names, schema = event_schema(executable(settings.program, scratch), settings.timeout)
    spark.conf.set("spark.sql.session.timeZone", settings.zone)
    hosts = spark.sparkContext.parallelize(logs, len(logs))
    lines = hosts.flatMap(lambda host: event_lines(host[1], settings, names))
    count = Observation("events")
    table: DataFrame = (
        spark.read.schema(schema)
        .json(lines, mode="FAILFAST")
        .withColumn("time", F.col("time").cast("timestamp"))
        .withColumn("day", F.to_date("time"))
        .observe(count, F.count(F.lit(1)).alias("count"))
    )
    writer = table.write.partitionBy("day", "log_host").option("mapreduce.fileoutputcommitter.algorithm.version", "1")
    if args.replace:
        writer = writer.mode("overwrite").option("partitionOverwriteMode", "dynamic")
    with task_errors():
        writer.parquet(args.out)
    print(f"smtplog_fleet: wrote {count.get['count']:,} events of {len(logs):,} hosts to {args.out}", file=sys.stderr)
    return 0


# --- The command line ------------------------------------------------------------------------------------------------


def arguments(words: Optional[Sequence[str]]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="smtplog_fleet.py", description="Mail logs of many hosts, with Apache Spark.")
    jobs = parser.add_subparsers(dest="job", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    option = shared.add_argument
    option("logs", nargs="*", metavar="LOG", help="path, pattern such as '/srv/logs/*/mail.log*', or URI")
    option("--files-from", metavar="FILE", help="more logs, as `find -print0` prints them")
    option("--host-from", default="{host}/*", metavar="PATTERN", help="as that of smtplog [default: {host}/*]")
    option("--smtplog", metavar="FILE", help="the program, which is shipped [default: smtplog of --files]")
    option("--installed", action="store_true", help="every executor has the FILE of --smtplog: do not ship it")
    option("--tz", default="UTC", metavar="ZONE", help="zone of times that show none [default: UTC]")
    option("--timeout", type=float, default=7200, metavar="SECONDS", help="for each run of smtplog [default: 7200]")
    option("--scan", action="append", default=[], metavar="OPTION", help="for smtplog, as in --scan=--year=2026")
    option("--fetch", default="", metavar="COMMAND", help="copies {from} to the local file {to}; runs in the task")
    job = jobs.add_parser("report", parents=[shared], help="print one report of all hosts", allow_abbrev=False)
    job.add_argument("--format", metavar="FORMAT", help="as that of smtplog merge")
    job.add_argument("-o", "--output", metavar="FILE", help="write the report to FILE on the driver's machine")
    job.add_argument("--merge", action="append", default=[], metavar="OPTION", help="for smtplog merge: --merge=--who")
    job.add_argument("--fan-in", type=int, default=16, metavar="N", help="parts that a task merges [default: 16]")
    job = jobs.add_parser("events", parents=[shared], help="write events as Parquet", allow_abbrev=False)
    job.add_argument("--out", required=True, metavar="DIR", help="a path or URI that every executor can write to")
    job.add_argument("--replace", action="store_true", help="replace the days of hosts that these logs have events of")
    return parser.parse_args(words)


def settings_of(spark: SparkSession, args: argparse.Namespace) -> Settings:
    """Checks the arguments and ships smtplog."""
    for option in args.scan:
        name = option.split("=", 1)[0]
        if not option.startswith("-") or name in REFUSED_OPTIONS or re.match(r"-[jo].", option):
            raise FleetError([f"--scan={shown(option)} is not possible"])
    fetch = tuple(shlex.split(args.fetch))
    if fetch and not (any("{from}" in word for word in fetch) and any("{to}" in word for word in fetch)):
        raise FleetError(["--fetch needs {from} and {to}, as in 'hadoop fs -get {from} {to}'"])
    if getattr(args, "fan_in", 2) < 2:
        raise FleetError(["--fan-in must be 2 or more"])
    program = "smtplog"
    if args.smtplog is not None:
        program = os.path.abspath(args.smtplog)
        if not os.path.isfile(program):
            raise FleetError([f"--smtplog {shown(args.smtplog)}: no such file"])
        if not args.installed:
            spark.sparkContext.addFile(program)
            program = os.path.basename(program)
    threads = int(spark.sparkContext.getConf().get("spark.task.cpus", "1"))
    return Settings(program, args.tz, threads, args.timeout, tuple(args.scan), fetch)


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs a job in the active session, or in one of its own. Returns the exit status."""
    args = arguments(words)
    active = SparkSession.getActiveSession()
    spark = active or SparkSession.builder.appName(f"smtplog-{args.job}").getOrCreate()
    if active is None:
        # Among Spark's hundreds of lines nobody would find ours.
        spark.sparkContext.setLogLevel("WARN")
    try:
        settings = settings_of(spark, args)
        return {"report": report, "events": events}[args.job](spark, args, settings)
    except (OSError, AnalysisException) as error:
        text = str(error).splitlines()[0]
        if "PATH_ALREADY_EXISTS" in text:
            text = f"{args.out} already exists; --replace replaces the days of hosts that these logs have events of"
        print(f"smtplog_fleet: {text}", file=sys.stderr)
        return 2
    except FleetError as error:
        for line in error.lines:
            print(f"smtplog_fleet: {line}", file=sys.stderr)
        return error.status
    finally:
        if active is None:
            spark.stop()


if __name__ == "__main__":
    STATUS = main()
    if STATUS != 0:
        sys.exit(STATUS)
