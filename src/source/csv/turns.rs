//! Two threads that take turns: each reads a block, finds its records when those before are
//! found, and works on them, so that a block stays in one processor's memory.

use std::io::{self, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::chunks::{Blocks, Chunk, Chunks, Structure};

/// Works on a file's chunks, two at a time and in no order.
pub(crate) fn each<R: Read + Send, E: From<io::Error> + Send>(
    chunks: &mut Chunks<R>,
    work: impl Fn(&Chunk) -> Result<(), E> + Sync,
) -> Result<(), E> {
    run(chunks, |_, chunk, (): &mut ()| if chunk.bytes().is_empty() { Ok(()) } else { work(chunk) })
}

/// Prepares a file's chunks two at a time, and works on them one after the other.
pub(crate) fn each_in_order<R: Read + Send, T: Default, E: From<io::Error> + Send>(
    chunks: &mut Chunks<R>,
    prepare: impl Fn(&Chunk, &mut T) + Sync,
    work: impl FnMut(&Chunk, &mut T) -> Result<(), E> + Send,
) -> Result<(), E> {
    let work = Turns::new(work);
    run(chunks, |number, chunk, prepared| {
        let stop = StopOtherwise(&work);
        prepare(chunk, prepared);
        // Who waits here is behind one that failed, and says nothing.
        let Some(mut turn) = work.wait_for(number) else { return Ok(()) };
        let worked = if chunk.bytes().is_empty() { Ok(()) } else { (turn.of)(chunk, prepared) };
        work.end(turn, worked.is_ok());
        std::mem::forget(stop);
        worked
    })
}

fn run<R: Read + Send, T: Default, E: From<io::Error> + Send>(
    chunks: &mut Chunks<R>,
    work: impl Fn(u64, &Chunk, &mut T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let shared =
        Shared { blocks: Mutex::new((0, &mut chunks.blocks)), structure: Turns::new(&mut chunks.structure) };
    thread::scope(|scope| {
        let other = scope.spawn(|| shared.work(&work));
        let own = shared.work(&work);
        let other = other.join().unwrap_or_else(|_| Err(io::Error::other("a thread stopped").into()));
        own.and(other)
    })
}

/// What both threads work on.
struct Shared<'c, R> {
    /// The number of the next block, and where it comes from.
    blocks: Mutex<(u64, &'c mut Blocks<R>)>,
    structure: Turns<&'c mut Structure>,
}

impl<R: Read> Shared<'_, R> {
    fn work<T: Default, E: From<io::Error>>(
        &self,
        work: &impl Fn(u64, &Chunk, &mut T) -> Result<(), E>,
    ) -> Result<(), E> {
        // However this ends, the other thread must not wait for a turn that never comes.
        let stop = StopOtherwise(&self.structure);
        let (mut chunk, mut own) = (Chunk::default(), T::default());
        while let Some(number) = self.next(&mut chunk)? {
            work(number, &chunk, &mut own)?;
        }
        std::mem::forget(stop);
        Ok(())
    }

    /// Reads the next block and finds its records; its number, or none where all is done.
    fn next(&self, chunk: &mut Chunk) -> io::Result<Option<u64>> {
        let (number, is_last) = self.read(chunk)?;
        let Some(mut turn) = self.structure.wait_for(number) else { return Ok(None) };
        turn.of.find(chunk, is_last, usize::MAX);
        self.structure.end(turn, true);
        let is_over = is_last && chunk.bytes().is_empty();
        Ok((!is_over).then_some(number))
    }

    fn read(&self, chunk: &mut Chunk) -> io::Result<(u64, bool)> {
        let mut blocks = locked(&self.blocks);
        let (number, size) = (blocks.0, blocks.1.size);
        blocks.0 += 1;
        Ok((number, blocks.1.read(chunk, size)?))
    }
}

/// Something that is used in turn, by number.
struct Turns<T> {
    turn: Mutex<Turn<T>>,
    ended: Condvar,
}

struct Turn<T> {
    number: u64,
    is_stopped: bool,
    of: T,
}

impl<T> Turns<T> {
    fn new(of: T) -> Turns<T> {
        Turns { turn: Mutex::new(Turn { number: 0, is_stopped: false, of }), ended: Condvar::new() }
    }

    /// Waits until it is a number's turn; none where no more turns come.
    fn wait_for(&self, number: u64) -> Option<MutexGuard<'_, Turn<T>>> {
        let waiting = |turn: &mut Turn<T>| turn.number != number && !turn.is_stopped;
        let turn = self.ended.wait_while(locked(&self.turn), waiting).unwrap_or_else(PoisonError::into_inner);
        Some(turn).filter(|turn| !turn.is_stopped)
    }

    fn end(&self, mut turn: MutexGuard<'_, Turn<T>>, goes_on: bool) {
        turn.number += 1;
        turn.is_stopped |= !goes_on;
        drop(turn);
        self.ended.notify_all();
    }
}

struct StopOtherwise<'t, T>(&'t Turns<T>);

impl<T> Drop for StopOtherwise<'_, T> {
    fn drop(&mut self) {
        locked(&self.0.turn).is_stopped = true;
        self.0.ended.notify_all();
    }
}

/// What a thread that panicked held is not used: it has stopped all others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::csv::Dialect;

    fn chunks<R: Read>(input: R, size: usize) -> Chunks<R> {
        Chunks::with_buffer(input, Dialect { delimiter: b',', quote: Some(b'"'), width: None }, size)
    }

    /// Where each chunk begins, and what it holds.
    type Seen = Vec<(u64, Vec<u8>)>;

    fn one_after_the_other(bytes: &[u8], size: usize) -> Seen {
        let (mut chunks, mut chunk, mut seen) = (chunks(bytes, size), Chunk::default(), Seen::new());
        while chunks.next(&mut chunk).unwrap() {
            seen.push((chunk.offset, chunk.bytes().to_vec()));
        }
        seen
    }

    fn joined(seen: &Seen) -> Vec<u8> {
        seen.iter().flat_map(|(_, bytes)| bytes).copied().collect()
    }

    proptest! {
        #[test]
        fn every_byte_is_worked_on_once_and_in_order_where_that_is_asked(
            lines in proptest::collection::vec("[a\",]{0,40}", 0..200), size in 1_usize..200, open: bool,
        ) {
            let bytes = lines.join("\n") + if open { "" } else { "\n" };
            let mut in_order = Seen::new();
            let prepare = |chunk: &Chunk, prepared: &mut u64| *prepared = chunk.offset;
            each_in_order(&mut chunks(bytes.as_bytes(), size), prepare, |chunk, prepared| -> io::Result<()> {
                in_order.push((*prepared, chunk.bytes().to_vec()));
                Ok(())
            }).unwrap();
            prop_assert_eq!(joined(&in_order), bytes.as_bytes());
            prop_assert_eq!(joined(&one_after_the_other(bytes.as_bytes(), size)), bytes.as_bytes());
            let apart = Mutex::new(Seen::new());
            each(&mut chunks(bytes.as_bytes(), size), |chunk| -> io::Result<()> {
                apart.lock().unwrap().push((chunk.offset, chunk.bytes().to_vec()));
                Ok(())
            }).unwrap();
            let mut apart = apart.into_inner().unwrap();
            apart.sort();
            prop_assert_eq!(apart, in_order);
        }
    }

    const NOTHING: fn(&Chunk, &mut ()) = |_, ()| {};

    /// Reads lines for ever, or until it fails.
    struct Endless(usize);

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::other("the disk fails"))?;
            into.fill(b'\n');
            Ok(into.len())
        }
    }

    #[test]
    fn a_failing_disk_ends_both_threads() {
        for reads in 0..20 {
            let failed = each(&mut chunks(Endless(reads), 64), |_| -> io::Result<()> { Ok(()) });
            assert_eq!(failed.unwrap_err().to_string(), "the disk fails");
            let failed =
                each_in_order(&mut chunks(Endless(reads), 64), NOTHING, |_, _| -> io::Result<()> { Ok(()) });
            assert_eq!(failed.unwrap_err().to_string(), "the disk fails");
        }
    }

    #[test]
    fn work_that_fails_ends_both_threads_and_nothing_behind_it_is_worked_on() {
        for wanted in 0..20 {
            let mut worked = 0;
            let failed = each_in_order(&mut chunks(Endless(usize::MAX), 64), NOTHING, |_, _| {
                worked += 1;
                if worked > wanted { Err(io::Error::other("enough")) } else { Ok(()) }
            });
            assert_eq!((failed.unwrap_err().to_string(), worked), ("enough".to_owned(), wanted + 1));
        }
    }

    #[test]
    fn a_panic_in_one_thread_does_not_leave_the_other_waiting() {
        let until_here = |chunk: &Chunk| assert!(chunk.offset < 1_000, "on purpose");
        let prepared = std::panic::catch_unwind(|| {
            let prepare = |chunk: &Chunk, (): &mut ()| until_here(chunk);
            each_in_order(&mut chunks(Endless(usize::MAX), 64), prepare, |_, ()| -> io::Result<()> { Ok(()) })
        });
        assert!(!matches!(prepared, Ok(Ok(()))));
        for in_order in [false, true] {
            let ended = std::panic::catch_unwind(|| {
                let work = |chunk: &Chunk| -> io::Result<()> {
                    until_here(chunk);
                    Ok(())
                };
                let mut chunks = chunks(Endless(usize::MAX), 64);
                if in_order {
                    each_in_order(&mut chunks, NOTHING, |chunk, _| work(chunk))
                } else {
                    each(&mut chunks, work)
                }
            });
            // Whichever of the two it was, nobody is told that all is well.
            assert!(!matches!(ended, Ok(Ok(()))));
        }
    }
}
