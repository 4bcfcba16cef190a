//! `cargo run --release -p loggen --bin loggen -- --mta postfix --size 1GiB --out mail.log`: writes a log, and its totals beside it.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;

use clap::Parser;
use jiff::civil::Date;
use loggen::log::{self, Mta, Spec, Stamp};

/// Write a log that looks like a busy mail server's, and FILE.json with what a right reading of it counts.
#[derive(Parser)]
#[command(name = "loggen")]
struct Options {
    /// Imitate this server.
    #[arg(long, value_enum)]
    mta: Mta,

    /// Write so many bytes, and a few lines more at most: 4096, 10MiB, 1GiB.
    #[arg(long, value_parser = size)]
    size: u64,

    /// Write the log to this file, and the totals to this name with .json behind it.
    #[arg(long)]
    out: PathBuf,

    /// Draw another log of the same kind [default: 1]
    #[arg(long)]
    seed: Option<u64>,

    /// Stamp the lines in this way [default: as the server does by itself]
    #[arg(long, value_enum)]
    stamp: Option<Stamp>,

    /// Give Postfix's messages long queue ids; Exim's are 6-11-4 by default.
    #[arg(long, conflicts_with = "short_ids")]
    long_ids: bool,

    /// Give Exim's messages the 6-6-2 ids of versions before 4.97; Postfix's are short by default.
    #[arg(long)]
    short_ids: bool,

    /// Begin the log on this day [default: 2026-03-02]
    #[arg(long)]
    start: Option<Date>,

    /// Spread the log over so many days [default: 7]
    #[arg(long)]
    days: Option<u32>,
}

fn main() -> io::Result<()> {
    let Options { mta, size, out, seed, stamp, long_ids, short_ids, start, days } = Options::parse();
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

/// `1GiB`, `100MiB`, `64KiB` or plain bytes.
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
