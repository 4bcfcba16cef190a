//! Tells whether somebody can still read standard output.

use std::io::stdout;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Whether standard output has lost its reader: its terminal was closed, or its pipe.
pub(crate) fn is_hung_up() -> bool {
    let out = stdout();
    let mut polled = [PollFd::new(&out, PollFlags::empty())];
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut polled, Some(&zero)) {
        Ok(_) => polled.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP)),
        Err(_) => false,
    }
}
