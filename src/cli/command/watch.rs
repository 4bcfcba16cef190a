//! `smtplog watch`: follow logs while they are written, on a screen, or with a line for each storm.

use std::io::{IsTerminal, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ratatui::crossterm::event;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::cli::args::{WatchArgs, WatchFormat};
use crate::cli::catalog::book;
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::filter::filter;
use crate::cli::follow::FollowSession;
use crate::cli::style::look;
use crate::cli::terminal::TerminalGuard;
use crate::collections::seed::seed;
use crate::input::error::{InputError, shown};
use crate::input::follow::{FollowedSource, is_over, poll as look_at};
use crate::input::read::{Progress, Source};
use crate::render::json;
use crate::render::text::page::TextStyle;
use crate::watch::alerts::{KnownStorms, text};
use crate::watch::draw::draw;
use crate::watch::keys::key;
use crate::watch::log_clock::LogClock;
use crate::watch::monitor::{Monitor, MonitorOptions};
use crate::watch::screen::Screen;
use crate::watch::view::{StormFinder, sight};

/// Between two looks at the logs.
const PACE: Duration = Duration::from_millis(250);
/// While much is read, the screen is drawn so often.
const REDRAW: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &WatchArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let FollowSession { sources, lanes, calendar, window } = FollowSession::new(args)?;
    let book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let early = filter.without_sender();
    let (progress, seed) = (Progress::default(), seed());
    let plan = MonitorOptions {
        sources: &sources,
        book: &book,
        filter: &filter,
        early: &early,
        window,
        progress: &progress,
        seed: &seed,
    };
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        flag::register(signal, ended.clone()).map_err(CliError::Terminal)?;
    }
    let mut watch = Watch {
        sources: &sources,
        lanes,
        lookout: Monitor::new(plan, calendar),
        now: args.now,
        begun: Instant::now(),
        clock: LogClock::default(),
        ended,
        trouble: None,
        is_lost: false,
    };
    let look = look(args.style.color, args.style.lang);
    match args.format {
        None if stdout().is_terminal() && !args.until_idle => watch.screen(&look, &filter.words.join(" "))?,
        None => watch.lines(WatchFormat::Text, args.until_idle, &look, out)?,
        Some(format) => watch.lines(format, args.until_idle, &look, out)?,
    }
    Ok(Completion::new(
        Vec::new(),
        watch.trouble.into_iter().collect(),
        &watch.lookout.coverage,
        window,
        false,
    ))
}

struct Watch<'a> {
    sources: &'a [Source],
    lanes: Vec<FollowedSource>,
    lookout: Monitor<'a>,
    /// None: it is what the machine's clock says.
    now: Option<Timestamp>,
    begun: Instant,
    clock: LogClock,
    /// A signal came.
    ended: Arc<AtomicBool>,
    /// What could not be read when it was looked at last.
    trouble: Option<InputError>,
    /// It will never be there again.
    is_lost: bool,
}

impl Watch<'_> {
    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Reads what has come; whether there is more to be read at once.
    fn read(&mut self) -> bool {
        let now = self.now.unwrap_or_else(Timestamp::now);
        self.lookout.set_clock(now);
        let Self { lanes, lookout, .. } = self;
        let looked = look_at(lanes, &mut |block| lookout.take(block));
        if !self.is_lost {
            self.trouble = None;
        }
        for (lane, source) in looked.failures {
            // A file may be there again the next time; a pipe is not.
            self.is_lost |= matches!(self.lanes.get(lane), Some(FollowedSource::Feed(_)));
            self.trouble = self.sources.get(lane).map(|log| log.cannot_open(source));
        }
        if !looked.more {
            let last = self.lookout.coverage.minutes.map(|(_, last)| last);
            self.clock.tick(last, now.as_second().div_euclid(60), self.begun.elapsed());
        }
        looked.more
    }

    /// Until a key or a signal ends it.
    fn screen(&mut self, look: &TextStyle, asked: &str) -> Result<(), CliError> {
        let mut taken = TerminalGuard::new()?;
        let mut screen = Screen::new(look.words.clone());
        let mut storms = StormFinder::default();
        let names: Vec<String> = self.sources.iter().map(|source| shown(&source.path)).collect();
        let (mut drawn, mut seen) = (Instant::now(), None);
        loop {
            let more = self.read();
            if !more || drawn.elapsed() > REDRAW {
                let minute = if more {
                    self.lookout.coverage.minutes.map(|(_, last)| last)
                } else {
                    self.clock.minute
                };
                let new_storms = !more && storms.find(&mut self.lookout, minute, false);
                let state = (self.lookout.coverage.lines, minute);
                // Most of the time nothing has come, and the rows are as they were.
                if new_storms || seen != Some(state) {
                    seen = Some(state);
                    screen.sight = sight(&self.lookout, minute, &storms.found);
                    screen.sight.name = names.join(" ");
                    asked.clone_into(&mut screen.sight.asked);
                }
                screen.sight.trouble = self.trouble.as_ref().map(ToString::to_string);
                let draws = |frame: &mut ratatui::Frame| draw(frame, &screen, look);
                taken.terminal.draw(draws).map_err(CliError::Terminal)?;
                drawn = Instant::now();
            }
            let mut pace = if more { Duration::ZERO } else { PACE };
            // All keys that wait; a terminal that is gone ends it as its signal does.
            while event::poll(pace).unwrap_or_else(|_| self.ended.swap(true, Ordering::Relaxed)) {
                pace = Duration::ZERO;
                if let Ok(event::Event::Key(pressed)) = event::read()
                    && let Some(key) = key(&pressed)
                    && !screen.press(key)
                {
                    return Ok(());
                }
            }
            if self.is_ended() {
                return Ok(());
            }
        }
    }

    /// Until a signal ends it, nobody reads any more, or nothing can come any more.
    fn lines(
        &mut self,
        format: WatchFormat,
        until_idle: bool,
        look: &TextStyle,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let (mut known, mut storms) = (KnownStorms::default(), StormFinder::default());
        loop {
            let more = self.read();
            if more {
                continue;
            }
            let last = until_idle || is_over(&self.lanes);
            let minute = if until_idle { None } else { self.clock.minute };
            if storms.find(&mut self.lookout, minute, last) {
                let news = known.hear(&storms.found);
                for news in &news {
                    let line = match format {
                        WatchFormat::Ndjson => json::line(news),
                        WatchFormat::Text => text(news, look),
                    };
                    out.write_all(line.as_bytes())?;
                }
                out.flush()?;
            }
            if last || self.is_ended() || !is_read() {
                return Ok(());
            }
            std::thread::sleep(PACE);
        }
    }
}

/// False: who was to read what we print is gone. Without asking, that would be found out with the next storm only.
fn is_read() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let out = stdout();
    let mut asked = [PollFd::new(&out, PollFlags::empty())];
    let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut asked, Some(&at_once)) {
        Ok(_) => asked.iter().all(|fd| !fd.revents().intersects(PollFlags::ERR)),
        Err(_) => true,
    }
}
