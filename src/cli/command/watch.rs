//! Runs `smtplog watch`, which follows logs while they are written, on a screen or with a line for each storm.

use std::io::{IsTerminal, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use signal_hook::consts::{
    SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU,
};
use signal_hook::flag;

use crate::cli::args::{WatchArgs, WatchFormat};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::follow::FollowSession;
use crate::cli::hangup::is_hung_up;
use crate::cli::keyboard::{Keyboard, Keystroke};
use crate::cli::session::catalog_and_filter;
use crate::cli::style::text_style;
use crate::cli::terminal::TerminalGuard;
use crate::collections::seed::seed;
use crate::input::error::{InputError, shown};
use crate::input::follow::{FollowedSource, is_over, poll as poll_logs};
use crate::input::read::{Progress, Source};
use crate::render::json;
use crate::render::text::page::TextStyle;
use crate::watch::alerts::{KnownStorms, text};
use crate::watch::draw::draw;
use crate::watch::keys::{KeyPress, key};
use crate::watch::log_clock::LogClock;
use crate::watch::monitor::{Monitor, MonitorOptions};
use crate::watch::screen::Screen;
use crate::watch::view::{StormFinder, view};

/// The time between two reads of the logs.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The time between two frames while a lot is read.
const REDRAW: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &WatchArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let FollowSession { sources, followed, calendar, window } = FollowSession::new(args)?;
    let (catalog, filter) = catalog_and_filter(&args.rules, &args.filter)?;
    let (progress, seed) = (Progress::default(), seed());
    let options = MonitorOptions {
        sources: &sources,
        book: &catalog,
        filter: &filter,
        range: window,
        progress: &progress,
        seed: &seed,
    };
    let ended = flagged(&[SIGHUP, SIGINT, SIGTERM])?;
    let mut watch = Watch {
        sources: &sources,
        followed,
        monitor: Monitor::new(options, calendar),
        now: args.now,
        started: Instant::now(),
        clock: LogClock::default(),
        ended,
        trouble: None,
        is_lost: false,
    };
    let style = text_style(args.style.color, args.style.lang);
    match args.format {
        None if stdout().is_terminal() && !args.until_idle => {
            watch.screen(&style, &filter.words.join(" "))?;
        }
        None => watch.lines(WatchFormat::Text, args.until_idle, &style, out)?,
        Some(format) => watch.lines(format, args.until_idle, &style, out)?,
    }
    Ok(Completion::new(
        Vec::new(),
        watch.trouble.into_iter().collect(),
        &watch.monitor.coverage,
        window,
        false,
    ))
}

/// Signals that end a program unless it catches them. With a screen they end the run, so that the terminal is given back.
const ENDING: [i32; 8] = [SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGIO, SIGXCPU];

/// A flag that each of these signals sets.
fn flagged(signals: &[i32]) -> Result<Arc<AtomicBool>, CliError> {
    let flagged = Arc::new(AtomicBool::new(false));
    for &signal in signals {
        flag::register(signal, flagged.clone()).map_err(CliError::Terminal)?;
    }
    Ok(flagged)
}

/// A run of `watch`.
struct Watch<'a> {
    sources: &'a [Source],
    /// One for each source.
    followed: Vec<FollowedSource>,
    monitor: Monitor<'a>,
    /// The time of the option `--now`. `None`: the machine's clock.
    now: Option<Timestamp>,
    started: Instant,
    clock: LogClock,
    /// Set by a signal.
    ended: Arc<AtomicBool>,
    /// The error of the last read.
    trouble: Option<InputError>,
    /// The error is permanent: a pipe failed.
    is_lost: bool,
}

impl Watch<'_> {
    /// Puts what changes without a new line on the screen: the seconds of the current minute, and the error.
    fn show_now(&self, screen: &mut Screen, minute: Option<i64>) {
        let wall = self.now.unwrap_or_else(Timestamp::now).as_second();
        if minute == Some(wall.div_euclid(60)) {
            screen.view.elapsed_seconds = wall.rem_euclid(60) as u8 + 1;
        }
        screen.view.error = self.trouble.as_ref().map(ToString::to_string);
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Reads new lines. Returns whether there is more to read at once.
    fn read(&mut self) -> bool {
        let now = self.now.unwrap_or_else(Timestamp::now);
        self.monitor.set_clock(now);
        let Self { followed, monitor, .. } = self;
        let polled = poll_logs(followed, &mut |block| monitor.take(block));
        if !self.is_lost {
            self.trouble = None;
        }
        for (number, error) in polled.failures {
            // A file may come back; a pipe does not.
            self.is_lost |= matches!(self.followed.get(number), Some(FollowedSource::Feed(_)));
            self.trouble = self.sources.get(number).map(|source| source.cannot_open(error));
        }
        if !polled.more {
            let last = self.monitor.coverage.minutes.map(|(_, last)| last);
            self.clock.tick(last, now.as_second().div_euclid(60), self.started.elapsed());
        }
        polled.more
    }

    /// Shows the screen until a key or a signal ends it, or the terminal is gone.
    fn screen(&mut self, style: &TextStyle, asked: &str) -> Result<(), CliError> {
        for signal in ENDING {
            flag::register(signal, self.ended.clone()).map_err(CliError::Terminal)?;
        }
        let (stopped, continued) = (flagged(&[SIGTSTP])?, flagged(&[SIGCONT])?);
        let mut guard = TerminalGuard::new()?;
        let keyboard = Keyboard::new();
        let mut screen = Screen::new(style.words.clone());
        let mut storms = StormFinder::default();
        let names: Vec<String> = self.sources.iter().map(|source| shown(&source.path)).collect();
        let (mut drawn, mut seen) = (Instant::now(), None);
        loop {
            let more = self.read();
            if self.is_ended() || is_hung_up() {
                return Ok(());
            }
            if stopped.swap(false, Ordering::Relaxed) {
                TerminalGuard::suspend().map_err(CliError::Terminal)?;
                continued.store(true, Ordering::Relaxed);
            }
            if continued.swap(false, Ordering::Relaxed) {
                guard.resume().map_err(CliError::Terminal)?;
            }
            if !more || drawn.elapsed() > REDRAW {
                let minute = if more {
                    self.monitor.coverage.minutes.map(|(_, last)| last)
                } else {
                    self.clock.minute
                };
                let new_storms = !more && storms.find(&mut self.monitor, minute, false);
                let state = (self.monitor.coverage.lines, minute);
                // Usually there are no new lines, and the view stays the same.
                if new_storms || seen != Some(state) {
                    seen = Some(state);
                    screen.view = view(&self.monitor, minute, &storms.storms);
                    screen.view.name = names.join(" ");
                    asked.clone_into(&mut screen.view.filter_options);
                }
                self.show_now(&mut screen, minute);
                let draws = |frame: &mut ratatui::Frame| draw(frame, &screen, style);
                match guard.terminal.draw(draws) {
                    Ok(_) => {}
                    Err(_) if is_hung_up() => return Ok(()),
                    Err(error) => return Err(CliError::Terminal(error)),
                }
                drawn = Instant::now();
            }
            let mut timeout = if more { Duration::ZERO } else { POLL_INTERVAL };
            // Takes all waiting keys.
            loop {
                match keyboard.next(timeout) {
                    Keystroke::Key(pressed) => match key(&pressed) {
                        Some(KeyPress::Suspend) => stopped.store(true, Ordering::Relaxed),
                        Some(key) if !screen.press(key) => return Ok(()),
                        Some(_) | None => {}
                    },
                    Keystroke::Other => {}
                    Keystroke::Nothing => break,
                    Keystroke::Ended => return Ok(()),
                }
                timeout = Duration::ZERO;
            }
        }
    }

    /// Prints lines until a signal comes, the reader of the output is gone, or no more input can come.
    fn lines(
        &mut self,
        format: WatchFormat,
        until_idle: bool,
        style: &TextStyle,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let (mut known, mut storms) = (KnownStorms::default(), StormFinder::default());
        loop {
            let more = self.read();
            if more {
                continue;
            }
            let last = until_idle || is_over(&self.followed);
            let minute = if until_idle { None } else { self.clock.minute };
            if storms.find(&mut self.monitor, minute, last) {
                for alert in &known.update(&storms.storms) {
                    let line = match format {
                        WatchFormat::Ndjson => json::line(alert),
                        WatchFormat::Text => text(alert, style),
                    };
                    out.write_all(line.as_bytes())?;
                }
                out.flush()?;
            }
            // A write would find out only with the next storm that nobody reads.
            if last || self.is_ended() || is_hung_up() {
                return Ok(());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}
