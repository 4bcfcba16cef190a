//! A progress bar on stderr, for work that takes longer than a blink.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::input::read::Progress;

/// Shorter work shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

pub(crate) fn with_bar<T: Send>(progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    let (done, told) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if told.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new(progress.total.load(Ordering::Relaxed));
            let style =
                ProgressStyle::with_template("{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {eta} left");
            bar.set_style(style.expect("the template is fixed"));
            while told.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(progress.done.load(Ordering::Relaxed));
            }
            bar.finish_and_clear();
        });
        let answer = work();
        drop(done);
        answer
    })
}
