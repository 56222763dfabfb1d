//! One piece of work, shared out among threads.

use std::ops::Range;

/// Has each worker, in a thread of its own, do its share of some places; the results in the order of the places.
pub(crate) fn spread<W: Send, R: Send>(
    workers: &mut [W],
    places: Range<usize>,
    work: impl Fn(&mut W, Range<usize>) -> R + Sync,
) -> Vec<R> {
    let share = places.len().div_ceil(workers.len()).max(1);
    let (work, end) = (&work, places.end);
    std::thread::scope(|scope| {
        let threads: Vec<_> = workers
            .iter_mut()
            .zip(places.step_by(share))
            .map(|(worker, start)| scope.spawn(move || work(worker, start..(start + share).min(end))))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    })
}
