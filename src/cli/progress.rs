//! Shows a progress bar on standard error during work that takes longer than half a second.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::input::read::Progress;

/// The bar appears after this time.
const DELAY: Duration = Duration::from_millis(500);

/// Runs `work`, which updates `progress`. Without a terminal there is no bar.
pub(crate) fn with_bar<T: Send>(progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    let (sender, receiver) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if receiver.recv_timeout(DELAY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new(progress.total.load(Ordering::Relaxed));
            let style =
                ProgressStyle::with_template("{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {eta} left");
            bar.set_style(style.expect("the template is fixed"));
            while receiver.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(progress.done.load(Ordering::Relaxed));
            }
            bar.finish_and_clear();
        });
        let result = work();
        drop(sender);
        result
    })
}
