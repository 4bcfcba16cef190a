//! Writes a synthetic mail log and its expected totals.
//!
//! `cargo run --release -p loggen --bin loggen -- --mta postfix --size 1GiB --out mail.log`

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;

use clap::Parser;
use jiff::civil::Date;
use loggen::log::{self, Mta, Spec, Stamp};

/// Write the log of a simulated busy mail server, and the expected counts as JSON.
#[derive(Parser)]
#[command(name = "loggen")]
struct LoggenArgs {
    /// Mail server to simulate.
    #[arg(long, value_enum)]
    mta: Mta,

    /// Size of the log, such as 4096, 10MiB or 1GiB; it may be a few lines longer.
    #[arg(long, value_parser = size)]
    size: u64,

    /// Path of the log; the expected counts are written to OUT.json.
    #[arg(long)]
    out: PathBuf,

    /// Seed; the same seed gives the same log [default: 1]
    #[arg(long)]
    seed: Option<u64>,

    /// Time format of the lines [default: the server's own]
    #[arg(long, value_enum)]
    stamp: Option<Stamp>,

    /// Use long queue ids for Postfix [default for Exim: 6-11-4]
    #[arg(long, conflicts_with = "short_ids")]
    long_ids: bool,

    /// Use the 6-6-2 ids of Exim before 4.97 [default for Postfix: short ids]
    #[arg(long)]
    short_ids: bool,

    /// First day of the log [default: 2026-03-02]
    #[arg(long)]
    start: Option<Date>,

    /// Number of days that the log covers [default: 7]
    #[arg(long)]
    days: Option<u32>,
}

fn main() -> io::Result<()> {
    let LoggenArgs { mta, size, out, seed, stamp, long_ids, short_ids, start, days } = LoggenArgs::parse();
    let usual = Spec::new(mta, size);
    let spec = Spec {
        seed: seed.unwrap_or(usual.seed),
        stamp: stamp.unwrap_or(usual.stamp),
        long_ids: (usual.long_ids || long_ids) && !short_ids,
        start: start.unwrap_or(usual.start),
        days: days.unwrap_or(usual.days),
        ..usual
    };
    let totals = log::write(&spec, &mut File::create(&out)?)?;
    let mut beside = out.into_os_string();
    beside.push(".json");
    serde_json::to_writer_pretty(BufWriter::new(File::create(beside)?), &totals)?;
    Ok(())
}

/// Parses `1GiB`, `100MiB`, `64KiB` or a number of bytes.
fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("give the size in bytes, KiB, MiB or GiB".to_owned()),
    };
    number.parse::<u64>().map(|number| number * factor).map_err(|error| error.to_string())
}
