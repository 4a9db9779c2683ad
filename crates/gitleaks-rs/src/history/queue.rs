//! Work that makes more work, shared by threads: last come, first served, so that little waits.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is to be done.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: Vec<T>,
    busy: usize,
    /// How many threads wait: waking nobody costs a system call all the same.
    idle: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(waiting: Vec<T>) -> Queue<T> {
        Queue { state: Mutex::new(State { waiting, busy: 0, idle: 0 }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does work until there is none and none can come. `work` puts what is to be done next into its second argument.
    pub(super) fn run(&self, mut work: impl FnMut(T, &mut Vec<T>)) {
        let mut more = Vec::new();
        while let Some(task) = self.next() {
            let busy = Busy { queue: self };
            work(task, &mut more);
            if !more.is_empty() {
                let mut state = self.lock();
                state.waiting.append(&mut more);
                if state.idle > 0 {
                    self.changed.notify_all();
                }
            }
            drop(busy);
        }
    }

    fn next(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(task) = state.waiting.pop() {
                state.busy += 1;
                return Some(task);
            }
            if state.busy == 0 {
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// Says that a thread is at work, until it is dropped: by a panic too, or the others would wait for ever.
struct Busy<'a, T> {
    queue: &'a Queue<T>,
}

impl<T> Drop for Busy<'_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.busy -= 1;
        if state.busy == 0 && state.idle > 0 {
            self.queue.changed.notify_all();
        }
    }
}
