//! Rotates a log at every moment of a run, and at random moments of several runs: each line is read once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use memchr::memchr_iter;

use super::Checkpoints;
use super::resume::ReadPosition;
use super::resumed_listing::resumed_listing;
use crate::input::read::block::Block;
use crate::input::read::{HeapSize, Progress, ReadOptions, each_block};
use crate::input::rotation::LogNames;
use crate::input::stop_point::in_tests::set;

#[derive(Clone, Copy, PartialEq, Debug)]
enum RotationWay {
    Create,
    DelayCompress,
    Compress,
    CopyTruncate,
    CopyTruncateCompress,
}

const WAYS: [RotationWay; 5] = [
    RotationWay::Create,
    RotationWay::DelayCompress,
    RotationWay::Compress,
    RotationWay::CopyTruncate,
    RotationWay::CopyTruncateCompress,
];

/// What happens to the files of a log, one step after the other.
#[derive(Debug)]
enum Step {
    /// This number of lines is appended to the file that the writer has open, after the rest of a half one.
    Write(usize),
    /// Half a line is appended.
    WriteHalf,
    /// The writer opens the log.
    Reopen,
    /// As logrotate does: a compressed file is as old as the log was.
    Age(String),
    Rename(String, String),
    Create,
    /// This number of sixteenths of a file is copied, or compressed, to another one.
    Copy(String, String, usize),
    Pack(String, String, usize),
    Truncate,
    Remove(String),
}

/// The steps of a rotation after so many others.
fn rotation(way: RotationWay, others: usize) -> Vec<Step> {
    let name = |number: usize, end: &str| format!("mail.log.{number}{end}");
    let log = || "mail.log".to_owned();
    let is_packed = |number: usize| match way {
        RotationWay::Create | RotationWay::CopyTruncate => false,
        RotationWay::DelayCompress => number > 1,
        RotationWay::Compress | RotationWay::CopyTruncateCompress => true,
    };
    let pack = |number: usize| {
        let (from, to) = (name(number, ""), name(number, ".gz"));
        let parts = [0, 1, 9, 16].map(|part| Step::Pack(from.clone(), to.clone(), part));
        parts.into_iter().chain([Step::Age(to.clone()), Step::Remove(from.clone())]).collect::<Vec<_>>()
    };
    let mut steps = Vec::new();
    for number in (1..=others).rev() {
        let end = if is_packed(number) { ".gz" } else { "" };
        steps.push(Step::Rename(name(number, end), name(number + 1, end)));
    }
    match way {
        RotationWay::Create | RotationWay::Compress | RotationWay::DelayCompress => {
            if way == RotationWay::DelayCompress && others > 0 {
                steps.extend(pack(2));
            }
            steps.extend([Step::Rename(log(), name(1, "")), Step::Create]);
            if way != RotationWay::Compress {
                steps.extend([Step::Write(2), Step::WriteHalf, Step::Write(1)]);
            }
            steps.push(Step::Reopen);
        }
        RotationWay::CopyTruncate | RotationWay::CopyTruncateCompress => {
            steps.extend([0, 9, 16].map(|part| Step::Copy(log(), name(1, ""), part)));
            steps.push(Step::Truncate);
        }
    }
    if is_packed(1) {
        steps.extend(pack(1));
    }
    steps
}

fn line(number: usize) -> String {
    // Beginnings as long as a hashed one that are all the same would be no log.
    format!(
        "Nov 22 03:04:05 mx1 {number:06} postfix/smtp[12]: {}: status=sent\n",
        "x".repeat(number * 7 % 90)
    )
}

struct Disk {
    folder: PathBuf,
    next: usize,
    writer: Option<File>,
    /// The rest of a line that is half written.
    rest: String,
}

impl Disk {
    fn step(&mut self, step: &Step) {
        let path = |name: &str| self.folder.join(name);
        let put = |to: &str, bytes: &[u8], part: usize| {
            let end = bytes.len() * part / 16;
            let mut file = File::options().create(true).append(true).open(path(to)).unwrap();
            let done = file.metadata().unwrap().len() as usize;
            file.write_all(&bytes[done..end]).unwrap();
        };
        let log = path("mail.log");
        match step {
            Step::Write(lines) => {
                let mut text = std::mem::take(&mut self.rest);
                text.extend((self.next..self.next + lines).map(line));
                self.next += lines;
                self.writer.as_ref().unwrap().write_all(text.as_bytes()).unwrap();
            }
            Step::WriteHalf => {
                let whole = std::mem::take(&mut self.rest) + &line(self.next);
                let (begin, rest) = whole.split_at(whole.len() - 20);
                self.writer.as_ref().unwrap().write_all(begin.as_bytes()).unwrap();
                (self.rest, self.next) = (rest.to_owned(), self.next + 1);
            }
            Step::Reopen => {
                self.writer = Some(File::options().create(true).append(true).open(log).unwrap());
            }
            Step::Age(name) => {
                let long_ago = SystemTime::now() - Duration::from_secs(200);
                File::options().append(true).open(path(name)).unwrap().set_modified(long_ago).unwrap();
            }
            Step::Rename(from, to) => fs::rename(path(from), path(to)).unwrap(),
            Step::Create => drop(File::options().create(true).append(true).open(log).unwrap()),
            Step::Copy(from, to, part) => put(to, &fs::read(path(from)).unwrap(), *part),
            Step::Pack(from, to, part) => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(&fs::read(path(from)).unwrap()).unwrap();
                put(to, &packed.finish().unwrap(), *part);
            }
            Step::Truncate => drop(File::options().write(true).truncate(true).open(log).unwrap()),
            Step::Remove(name) => fs::remove_file(path(name)).unwrap(),
        }
    }
}

struct Lines {
    file: usize,
    text: Vec<u8>,
    end: u64,
}

impl HeapSize for Lines {
    fn held_bytes(&self) -> usize {
        self.text.len()
    }
}

/// What a run read, and leaves for the next one.
struct Ran {
    text: Vec<u8>,
    saved: Checkpoints,
    notes: Vec<String>,
    problems: Vec<String>,
}

/// One run. The error: it changed nothing.
fn run(folder: &Path, known: &Checkpoints) -> Result<Ran, String> {
    let names = LogNames { by_server: &[], repeated: |_| None };
    for _ in 0..10 {
        let listed = resumed_listing(known, &[folder.join("mail.log")], false, None, &names);
        let (listing, plan) = listed.map_err(|error| error.to_string())?;
        let (mut text, mut reached) = (Vec::new(), vec![ReadPosition::default(); listing.sources.len()]);
        let read = each_block(
            &listing.sources,
            ReadOptions { threads: 1, block_size: 512 },
            &Progress::default(),
            || (),
            |(), block: &Block| Lines {
                file: block.file,
                text: block.lines.to_vec(),
                end: block.offset + block.lines.len() as u64,
            },
            |lines: Lines| {
                let count = memchr_iter(b'\n', &lines.text).count() as u64;
                let at = &mut reached[lines.file];
                *at = ReadPosition { lines: at.lines + count, end: lines.end };
                text.extend(lines.text);
            },
        );
        let problems = read.map_err(|error| error.to_string())?.problems;
        if !plan.changed(&listing.sources).is_empty() {
            continue;
        }
        let said = listing.problems.iter().chain(&problems).map(ToString::to_string).collect();
        let saved = plan.finish(&listing.sources, &reached, &problems, "once".to_owned());
        return Ok(Ran { text, saved, notes: listing.notes, problems: said });
    }
    Err("restless".to_owned())
}

struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % end
    }
}

/// The files, and what still happens to them.
struct Scene {
    disk: Disk,
    steps: VecDeque<Step>,
    /// What happened so far.
    history: Vec<String>,
}

impl Scene {
    fn advance(&mut self, count: usize) {
        for step in self.steps.drain(..count.min(self.steps.len())) {
            self.disk.step(&step);
            self.history.push(format!("    {step:?}"));
        }
    }
}

/// How many steps happen at the stop point of this number.
type Schedule = Box<dyn FnMut(usize) -> usize>;

/// Runs beside rotations, and what they read.
struct Drill {
    folder: tempfile::TempDir,
    scene: Rc<RefCell<Scene>>,
    known: Checkpoints,
    /// How often each line was read.
    told: BTreeMap<usize, usize>,
}

impl Drill {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk { folder: folder.path().to_owned(), next: 0, writer: None, rest: String::new() };
        let mut scene = Scene { disk, steps: steps.into_iter().collect(), history: Vec::new() };
        scene.disk.step(&Step::Reopen);
        let scene = Rc::new(RefCell::new(scene));
        Self { folder, scene, known: Checkpoints::default(), told: BTreeMap::new() }
    }

    fn advance(&self, count: usize) {
        self.scene.borrow_mut().advance(count);
    }

    fn is_over(&self) -> bool {
        self.scene.borrow().steps.is_empty()
    }

    /// Runs while the files change. `is_killed`: what it read does not count. Returns the number of stop points.
    fn run(&mut self, mut schedule: Schedule, is_killed: bool) -> usize {
        let stops = Rc::new(Cell::new(0));
        let (scene, counter) = (self.scene.clone(), stops.clone());
        set(Some(Box::new(move || {
            counter.set(counter.get() + 1);
            let steps = schedule(counter.get());
            if steps > 0 {
                scene.borrow_mut().history.push(format!("  at stop point {}:", counter.get()));
                scene.borrow_mut().advance(steps);
            }
        })));
        let ran = run(self.folder.path(), &self.known);
        set(None);
        let what = match ran {
            Ok(ran) => {
                let text = String::from_utf8(ran.text).unwrap();
                let numbers: Vec<usize> = text.lines().map(|line| line[20..26].parse().unwrap()).collect();
                if !is_killed {
                    for number in &numbers {
                        *self.told.entry(*number).or_default() += 1;
                    }
                    self.known = ran.saved;
                }
                let (first, last) = (numbers.first(), numbers.last());
                format!("{} lines, {first:?} to {last:?}, {:?} {:?}", numbers.len(), ran.notes, ran.problems)
            }
            Err(error) => error,
        };
        self.scene.borrow_mut().history.push(format!("run, killed: {is_killed}: {what}"));
        stops.get()
    }

    /// Reads the rest. The error: which lines are missing or were read twice, and what happened.
    fn end(mut self) -> Result<(), String> {
        self.advance(usize::MAX);
        self.run(Box::new(|_| 0), false);
        let lines = 0..self.scene.borrow().disk.next;
        let twice: Vec<usize> = lines.clone().filter(|line| self.told.get(line) > Some(&1)).collect();
        let missing: Vec<usize> = lines.filter(|line| !self.told.contains_key(line)).collect();
        let history = self.scene.borrow().history.join("\n");
        let is_right = twice.is_empty() && missing.is_empty();
        if is_right { Ok(()) } else { Err(format!("twice {twice:?}, missing {missing:?}:\n{history}")) }
    }
}

/// Runs, kills and rotates at random.
fn random_drill(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let way = WAYS[random.below(WAYS.len())];
    let mut steps = Vec::new();
    for others in 0..=random.below(3) {
        steps.push(Step::Write(random.below(3) * random.below(60)));
        if random.below(2) == 0 {
            steps.push(Step::WriteHalf);
        }
        steps.push(Step::Write(random.below(3)));
        steps.extend(rotation(way, others));
    }
    steps.push(Step::Write(2));
    let mut drill = Drill::new(steps);
    // What was rotated away before the first run that ends, nobody knows of.
    drill.run(Box::new(|_| 0), false);
    while !drill.is_over() {
        drill.advance(random.below(8));
        let often = [1000, 40, 12, 4][random.below(4)];
        let mut dice = Random::new(random.below(1 << 30) as u64);
        let steps = move |_| if dice.below(often) == 0 { 1 + dice.below(4) } else { 0 };
        drill.run(Box::new(steps), random.below(6) == 0);
    }
    drill.end().map_err(|what| format!("{way:?}, seed {seed}: {what}"))
}

/// 200 of them, or SMTPLOG_DRILLS.
#[test]
fn each_line_is_read_once_whatever_happens_at_random() {
    let count = std::env::var("SMTPLOG_DRILLS").map_or(200, |count| count.parse().unwrap());
    let from = std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap());
    let bad: Vec<String> = (from..from + count).filter_map(|seed| random_drill(seed).err()).collect();
    assert!(bad.is_empty(), "{} of {count}:\n{}", bad.len(), bad.iter().min_by_key(|bad| bad.len()).unwrap());
}

/// The second rotation happens in two parts: up to `middle` at one stop point of a run, and the rest at a later one. Returns
/// the number of stop points.
fn two_moments(way: RotationWay, middle: usize, moments: (usize, usize)) -> Result<usize, String> {
    let mut steps = vec![Step::Write(3)];
    steps.extend(rotation(way, 0));
    steps.push(Step::Write(60));
    let before = steps.len();
    steps.extend(rotation(way, 1));
    steps.push(Step::Write(3));
    let mut drill = Drill::new(steps);
    drill.run(Box::new(|_| 0), false);
    drill.advance(before);
    let schedule = move |stop| match stop {
        _ if stop == moments.0 => middle,
        _ if stop == moments.1 => usize::MAX,
        _ => 0,
    };
    let stops = drill.run(Box::new(schedule), false);
    drill.end().map(|()| stops).map_err(|what| format!("{way:?} at {moments:?}: {what}"))
}

#[test]
fn each_line_is_read_once_at_whichever_moments_of_a_run_a_log_is_rotated() {
    let (mut tried, mut bad) = (0, Vec::new());
    for way in WAYS {
        // A compressed file is incomplete in the middle, if there is one.
        let steps = rotation(way, 1);
        let is_half = |step: &Step| matches!(step, Step::Pack(_, _, part) if *part == 9);
        let middle = steps.iter().position(is_half).map_or(steps.len() / 2, |half| half + 1);
        let (mut first, mut stops) = (1, usize::MAX);
        while first < stops {
            for second in [first + 1, first + 3, first + 7, first + 12, first + 20] {
                tried += 1;
                match two_moments(way, middle, (first, second)) {
                    Ok(seen) if second == first + 1 => stops = seen,
                    Ok(_) => {}
                    Err(what) => bad.push(what),
                }
            }
            first += 1;
        }
    }
    assert!(bad.is_empty(), "{} of {tried}:\n{}", bad.len(), bad.iter().min_by_key(|bad| bad.len()).unwrap());
    assert!(tried > 100);
}
