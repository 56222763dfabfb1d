//! Who shares memory with whom, and whose is not to be dumped.
//!
//! The model has no memory; it only matters who shares one: a change of user closes it for all of them (`dumpable`).
//!
//! In the kernel: kernel/fork.c:copy_mm; kernel/cred.c:commit_creds.

use crate::objects::ids::{MmId, SignalId};
use crate::world::World;

/// The memory of a child: its maker's, or a copy, which is closed if the original is.
///
/// # References
/// kernel/fork.c:copy_mm
#[inline]
pub(crate) fn copy_mm(w: &mut World, maker: SignalId, shared: bool) -> Option<MmId> {
    let mm = w.sig(maker).mm;
    if shared {
        return Some(own_mm(w, maker));
    }
    let closed = mm.is_some_and(|mm| w.undumpable.contains(&mm));
    if !closed {
        return None;
    }
    let copy = next_mm(w);
    w.undumpable.push(copy);
    Some(copy)
}

fn next_mm(w: &mut World) -> MmId {
    w.mms_shared += 1;
    MmId(std::num::NonZeroU32::new(w.mms_shared).expect("it was just counted"))
}

/// The memory of a process is not to be dumped from now on (`set_dumpable`).
pub(crate) fn close_memory(w: &mut World, process: SignalId) {
    let mm = own_mm(w, process);
    if !w.undumpable.contains(&mm) {
        w.undumpable.push(mm);
    }
}

/// The memory of a process, with a name by which others can share it.
pub(crate) fn own_mm(w: &mut World, process: SignalId) -> MmId {
    if let Some(mm) = w.sig(process).mm {
        return mm;
    }
    let mm = next_mm(w);
    w.sig_mut(process).mm = Some(mm);
    mm
}
