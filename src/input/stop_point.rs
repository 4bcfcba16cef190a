//! Marks the moments at which another process may change a file that is looked at, so that tests can do so there.

/// Called before each look at a name or a file. Does nothing but in tests.
#[inline]
pub(crate) fn stop_point() {
    #[cfg(test)]
    in_tests::act();
}

#[cfg(test)]
pub(crate) mod in_tests {
    use std::cell::RefCell;

    type Action = Box<dyn FnMut()>;

    thread_local! {
        static ACTION: RefCell<Option<Action>> = const { RefCell::new(None) };
    }

    /// Sets what happens at each stop point of this thread.
    pub(crate) fn set(action: Option<Action>) {
        ACTION.with_borrow_mut(|now| *now = action);
    }

    /// An action may come by stop points itself, at which nothing happens.
    pub(super) fn act() {
        let Some(mut action) = ACTION.with_borrow_mut(Option::take) else { return };
        action();
        set(Some(action));
    }
}
