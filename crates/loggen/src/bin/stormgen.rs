//! Generates logs with storms and scores how many of them `smtplog storm` finds. A storm that nobody could see, however
//! strong, is replaced by another one.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use clap::Parser;
use loggen::storm::{CasePlan, Pattern, Score, StormCase, Style, Truth, build, judge, show};
use rayon::prelude::*;
use serde_json::Value;

/// Generate logs with and without storms, run `smtplog storm` on each, and score its answers.
#[derive(Parser)]
#[command(name = "stormgen")]
struct StormgenArgs {
    /// Number of logs with storms.
    #[arg(long, default_value_t = 200)]
    cases: u64,

    /// Seed of the first log; the others follow. The same seed gives the same log.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Number of days of logs without storms.
    #[arg(long, default_value_t = 30)]
    clean_days: u64,

    /// Use only logs that contain this storm.
    #[arg(long, value_enum)]
    only: Option<Pattern>,

    /// Set of names, texts and settings.
    #[arg(long, value_enum, default_value_t = Style::Usual)]
    style: Style,

    /// Keep the logs, the expected and the actual answers in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,

    /// Only write the logs and the expected answers to this folder.
    #[arg(long, conflicts_with = "keep")]
    write: Option<PathBuf>,

    /// Number of logs to process at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,

    /// Path of smtplog [default: the one beside stormgen]
    #[arg(long)]
    program: Option<PathBuf>,

    /// List what would be generated, then exit. A storm that cannot be seen is replaced when its log is written.
    #[arg(long)]
    list: bool,
}

fn main() -> io::Result<ExitCode> {
    let options = StormgenArgs::parse();
    let plans = plans(&options);
    if options.list {
        for plan in &plans {
            let storms: Vec<&str> = plan.storms.iter().map(|pattern| pattern.id()).collect();
            println!(
                "{}  {:?}  {} days  {} messages a day  {:?}  {}",
                plan.name(),
                plan.mta,
                plan.days,
                plan.messages_per_day,
                plan.calm,
                storms.join(" ")
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(options.jobs.max(1)).build().map_err(io::Error::other)?;
    if let Some(folder) = &options.write {
        fs::create_dir_all(folder)?;
        pool.install(|| plans.par_iter().try_for_each(|plan| write(folder, plan).map(drop)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let program = match &options.program {
        Some(program) => program.clone(),
        None => env::current_exe()?.with_file_name("smtplog"),
    };
    if !knows_storms(&program)? {
        println!("{} has no subcommand storm: nothing to score", program.display());
        return Ok(ExitCode::SUCCESS);
    }
    let scratch = tempfile::tempdir()?;
    let folder = options.keep.as_deref().unwrap_or(scratch.path());
    fs::create_dir_all(folder)?;
    let scores: io::Result<Vec<Score>> = pool.install(|| {
        plans.par_iter().map(|plan| score(&program, options.keep.is_some(), folder, plan)).collect()
    });
    let (text, is_met) = show(&scores?);
    print!("{text}");
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn plans(options: &StormgenArgs) -> Vec<CasePlan> {
    let wanted = |plan: &CasePlan| options.only.is_none_or(|pattern| plan.storms.contains(&pattern));
    let mut plans: Vec<CasePlan> = (options.seed..options.seed + options.cases)
        .map(|seed| CasePlan::with_storms(seed, options.style))
        .filter(wanted)
        .collect();
    let mut days = 0;
    for seed in options.seed.. {
        if days >= options.clean_days || options.only.is_some() {
            break;
        }
        let plan = CasePlan::clean(seed, options.style);
        days += plan.days;
        plans.push(plan);
    }
    plans
}

/// Whether the program has the subcommand; without it, `storm` would be taken for a file name.
fn knows_storms(program: &Path) -> io::Result<bool> {
    let help = Command::new(program).args(["storm", "--help"]).output().map_err(|error| {
        let path = program.display();
        io::Error::new(
            error.kind(),
            format!("cannot run {path}: {error}; build it or name it with --program"),
        )
    })?;
    Ok(String::from_utf8_lossy(&help.stdout).contains(" storm [OPTIONS]"))
}

/// Writes the log, with the time of its last line as its modification time, and the expected answer.
fn write(folder: &Path, plan: &CasePlan) -> io::Result<(PathBuf, Truth, i64)> {
    let StormCase { log, truth, end } = build(plan);
    let path = folder.join(format!("{}.log", truth.name));
    fs::write(&path, log)?;
    File::options()
        .append(true)
        .open(&path)?
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(end as u64))?;
    fs::write(path.with_extension("truth.json"), serde_json::to_vec_pretty(&truth)?)?;
    Ok((path, truth, end))
}

fn score(program: &Path, keeps: bool, folder: &Path, plan: &CasePlan) -> io::Result<Score> {
    let (path, truth, end) = write(folder, plan)?;
    let answer = ask(program, &path)?;
    if keeps {
        if let Ok(answer) = &answer {
            fs::write(path.with_extension("answer.json"), serde_json::to_vec_pretty(answer)?)?;
        }
    } else {
        fs::remove_file(&path)?;
    }
    Ok(judge(&truth, end, answer))
}

fn ask(program: &Path, log: &Path) -> io::Result<Result<Value, String>> {
    let said = Command::new(program)
        .args(["storm", "--format", "json"])
        .arg(log)
        .env("TZ", "UTC")
        .env("SMTPLOG_NO_CONFIG", "1")
        .output()?;
    let status = said.status.code();
    if !matches!(status, Some(0 | 1)) {
        return Ok(Err(format!("status {status:?}: {}", String::from_utf8_lossy(&said.stderr).trim())));
    }
    Ok(serde_json::from_slice(&said.stdout).map_err(|error| error.to_string()))
}
