//! Which numbers of one namespace are taken, and by whom.
//!
//! The kernel keeps an IDR (a radix tree) in each namespace. Here it is a table of small pages, with one bit a number
//! inside the page and one bit a page above, so that "the lowest free number from here on" never looks at numbers one
//! by one, even when four million of them are taken.

use crate::ProcessId;

const PAGE: u32 = 64;

#[derive(Clone)]
struct Page {
    used: u64,
    holders: [Option<ProcessId>; PAGE as usize],
}

impl Page {
    /// The lowest free number of the page from this one on.
    #[inline]
    fn first_free(&self, from: u32) -> Option<u32> {
        let free = !self.used & (u64::MAX << from);
        (free != 0).then(|| free.trailing_zeros())
    }

    /// Takes a free number. Answers whether it was the last.
    #[inline]
    fn take(&mut self, offset: u32, holder: ProcessId) -> bool {
        let bit = 1 << offset;
        debug_assert!(self.used & bit == 0, "a number has one holder");
        self.used |= bit;
        self.holders[offset as usize] = Some(holder);
        self.used == u64::MAX
    }
}

/// The taken numbers of a namespace, with the process that each belongs to.
#[derive(Clone, Default)]
pub(crate) struct IdTable {
    pages: Vec<Option<Box<Page>>>,
    /// One bit a page: no number of it is free.
    full: Vec<u64>,
}

impl IdTable {
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<ProcessId> {
        let page = self.pages.get((number / PAGE) as usize)?.as_ref()?;
        page.holders[(number % PAGE) as usize]
    }

    pub(crate) fn is_free(&self, number: u32) -> bool {
        self.get(number).is_none()
    }

    /// Takes a free number.
    pub(crate) fn insert(&mut self, number: u32, holder: ProcessId) {
        let index = (number / PAGE) as usize;
        if index >= self.pages.len() {
            self.grow(index + 1);
        }
        let page = self.pages[index].get_or_insert_with(|| Box::new(Page { used: 0, holders: [None; PAGE as usize] }));
        if page.take(number % PAGE, holder) {
            self.full[index / 64] |= 1 << (index % 64);
        }
    }

    #[cold]
    fn grow(&mut self, pages: usize) {
        self.pages.resize(pages, None);
        self.full.resize(pages.div_ceil(64), 0);
    }

    /// Gives a taken number back.
    #[inline]
    pub(crate) fn remove(&mut self, number: u32) {
        let index = (number / PAGE) as usize;
        let page = self.pages[index].as_deref_mut().expect("a taken number has a page");
        let was_full = page.used == u64::MAX;
        page.used &= !(1 << (number % PAGE));
        page.holders[(number % PAGE) as usize] = None;
        if was_full {
            self.full[index / 64] &= !(1 << (index % 64));
        }
    }

    /// Takes the lowest free number of `from..=to`.
    #[inline]
    pub(crate) fn insert_first(&mut self, from: u32, to: u32, holder: ProcessId) -> Option<u32> {
        let index = (from / PAGE) as usize;
        // Mostly the page of `from` has room, and then one visit finds the number and takes it.
        if let Some(Some(page)) = self.pages.get_mut(index)
            && let Some(offset) = page.first_free(from % PAGE)
            && index as u32 * PAGE + offset <= to
        {
            if page.take(offset, holder) {
                self.full[index / 64] |= 1 << (index % 64);
            }
            return Some(index as u32 * PAGE + offset);
        }
        self.insert_beyond(from, to, holder)
    }

    #[cold]
    #[inline(never)]
    fn insert_beyond(&mut self, from: u32, to: u32, holder: ProcessId) -> Option<u32> {
        let number = self.first_free(from, to)?;
        self.insert(number, holder);
        Some(number)
    }

    /// The lowest free number of `from..=to`.
    pub(crate) fn first_free(&self, from: u32, to: u32) -> Option<u32> {
        if from > to {
            return None;
        }
        let index = (from / PAGE) as usize;
        let Some(Some(page)) = self.pages.get(index) else { return Some(from) };
        let number = match page.first_free(from % PAGE) {
            Some(offset) => index as u32 * PAGE + offset,
            None => {
                let next = self.first_page_with_room(index + 1);
                let offset = self.pages.get(next).and_then(Option::as_ref).and_then(|page| page.first_free(0));
                next as u32 * PAGE + offset.unwrap_or(0)
            }
        };
        (number <= to).then_some(number)
    }

    fn first_page_with_room(&self, from: usize) -> usize {
        let mut word = from / 64;
        let mut mask = u64::MAX << (from % 64);
        while let Some(full) = self.full.get(word) {
            let room = !full & mask;
            if room != 0 {
                return word * 64 + room.trailing_zeros() as usize;
            }
            mask = u64::MAX;
            word += 1;
        }
        (word * 64).max(from)
    }

    /// Everybody with a number of at least `from`, in the order of numbers.
    pub(crate) fn holders(&self, from: u32) -> impl Iterator<Item = (u32, ProcessId)> + '_ {
        self.pages.iter().enumerate().skip((from / PAGE) as usize).flat_map(move |(index, page)| {
            page.iter().flat_map(move |page| {
                page.holders.iter().enumerate().filter_map(move |(offset, holder)| {
                    let number = index as u32 * PAGE + offset as u32;
                    holder.filter(|_| number >= from).map(|holder| (number, holder))
                })
            })
        })
    }
}
