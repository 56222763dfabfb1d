//! Where the running kernel keeps what a look wants to see: the offsets of members, and the numbers of functions, from its own type
//! information (BTF, Documentation/bpf/btf.rst).
//!
//! A library that reads all of it takes 0.2 s for the 150,000 types of a kernel; to pass over them and keep these few takes a
//! hundredth of that.

use std::collections::BTreeMap;
use std::fs;

use super::code::Width;

/// The members that are read, by their struct: numbers and pointers.
const VALUES: [(&str, &str); 11] = [
    ("task_struct", "__state"),
    ("task_struct", "exit_state"),
    ("task_struct", "flags"),
    ("task_struct", "on_rq"),
    ("task_struct", "real_parent"),
    ("task_struct", "ptrace"),
    ("task_struct", "parent"),
    ("task_struct", "signal"),
    ("task_struct", "thread_pid"),
    ("sched_entity", "sched_delayed"),
    ("pid", "level"),
];

/// Those of which only the place is wanted.
const PLACES: [(&str, &str); 5] = [
    ("task_struct", "se"),
    ("signal_struct", "pids"),
    ("pid", "numbers"),
    ("pid_namespace", "ns"),
    ("ns_common", "inum"),
];

/// The functions of the kernel that are called (kernel/bpf/helpers.c, `__bpf_kfunc`).
const FUNCTIONS: [&str; 5] =
    ["bpf_task_from_vpid", "bpf_task_release", "bpf_iter_num_new", "bpf_iter_num_next", "bpf_iter_num_destroy"];

const MAGIC: u32 = 0xEB9F;

/// Kinds of types (include/uapi/linux/btf.h).
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// What is known of the running kernel.
pub(super) struct Layout {
    members: BTreeMap<(&'static str, &'static str), i16>,
    widths: BTreeMap<(&'static str, &'static str), Width>,
    functions: BTreeMap<&'static str, i32>,
}

impl Layout {
    /// Of the running kernel; nothing if it does not say, or is without one of the members and functions.
    pub(super) fn of_this_kernel() -> Option<Layout> {
        Layout::parse(&fs::read("/sys/kernel/btf/vmlinux").ok()?)
    }

    /// Where a member is in its struct, in bytes.
    pub(super) fn offset(&self, of: &'static str, member: &'static str) -> i16 {
        // All that are asked for are in the table, and parsing fails without one.
        self.members[&(of, member)]
    }

    /// How wide a member is that is read: `on_rq` has four bytes up to Linux 7.1, and one since.
    pub(super) fn width(&self, of: &'static str, member: &'static str) -> Width {
        self.widths[&(of, member)]
    }

    /// The number by which a program calls a function of the kernel.
    pub(super) fn function(&self, name: &'static str) -> i32 {
        self.functions[name]
    }

    fn parse(bytes: &[u8]) -> Option<Layout> {
        let types = Types::of(bytes)?;
        let member = |of, name| types.member(*types.structs.get(of)?, name);
        let members = VALUES.iter().chain(&PLACES).map(|&(of, name)| {
            let (bits, _) = member(of, name)?;
            Some(((of, name), i16::try_from(bits / 8).ok()?))
        });
        let widths = VALUES.iter().map(|&(of, name)| {
            let (_, number) = member(of, name)?;
            Some(((of, name), types.width(number)?))
        });
        let functions = FUNCTIONS.iter().map(|name| Some((*name, i32::try_from(*types.functions.get(name)?).ok()?)));
        Some(Layout {
            members: members.collect::<Option<_>>()?,
            widths: widths.collect::<Option<_>>()?,
            functions: functions.collect::<Option<_>>()?,
        })
    }
}

/// The types, as they stand in the file.
struct Types<'a> {
    bytes: &'a [u8],
    names: usize,
    /// Where each type begins; the first has the number 1.
    places: Vec<usize>,
    structs: BTreeMap<&'static str, usize>,
    functions: BTreeMap<&'static str, usize>,
}

impl<'a> Types<'a> {
    fn of(bytes: &'a [u8]) -> Option<Types<'a>> {
        let header = |at| usize::try_from(word(bytes, at)?).ok();
        if word(bytes, 0)? & 0xffff != MAGIC {
            return None;
        }
        let (after, first, length, names) = (header(4)?, header(8)?, header(12)?, header(16)?);
        let mut types = Types {
            bytes,
            names: after + names,
            places: Vec::with_capacity(length / 24),
            structs: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        let (mut at, end) = (after + first, after + first + length);
        while at < end {
            at += 12 + types.note(at)?;
        }
        Some(types)
    }

    /// Takes in the type that begins here, and says how much follows its head.
    fn note(&mut self, at: usize) -> Option<usize> {
        self.places.push(at);
        let (kind, count) = kind_and_count(word(self.bytes, at + 4)?);
        let name = || self.name(word(self.bytes, at)?);
        if kind == kind::STRUCT && count > 0 {
            let wanted = VALUES.iter().chain(&PLACES).find(|(of, _)| name().is_some_and(|name| name == of.as_bytes()));
            if let Some((of, _)) = wanted {
                self.structs.entry(of).or_insert(at);
            }
        } else if kind == kind::FUNC {
            let wanted = FUNCTIONS.iter().find(|wanted| name().is_some_and(|name| name == wanted.as_bytes()));
            if let Some(wanted) = wanted {
                self.functions.insert(wanted, self.places.len());
            }
        }
        Some(match kind {
            kind::INT | kind::VAR | kind::DECL_TAG => 4,
            kind::ARRAY => 12,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * count,
            kind::ENUM | kind::FUNC_PROTO => 8 * count,
            _ => 0,
        })
    }

    /// The name at this place of the names, without its zero byte.
    fn name(&self, offset: u32) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.names + usize::try_from(offset).ok()?..)?;
        rest.get(..rest.iter().position(|byte| *byte == 0)?)
    }

    /// Where a member is in the struct that begins here, in bits, and the number of its type; members of structs and unions without a name
    /// are members of it.
    fn member(&self, at: usize, wanted: &str) -> Option<(u32, u32)> {
        let info = word(self.bytes, at + 4)?;
        let (_, count) = kind_and_count(info);
        let has_bit_fields = info >> 31 == 1;
        for entry in (0..count).map(|index| at + 12 + 12 * index) {
            let offset = word(self.bytes, entry + 8)?;
            let offset = if has_bit_fields { offset & 0x00ff_ffff } else { offset };
            let name = self.name(word(self.bytes, entry)?)?;
            if name == wanted.as_bytes() {
                return Some((offset, word(self.bytes, entry + 4)?));
            }
            if name.is_empty()
                && let Some(inner) = self.inner(word(self.bytes, entry + 4)?)
                && let Some((deeper, kind)) = self.member(inner, wanted)
            {
                return Some((offset + deeper, kind));
            }
        }
        None
    }

    /// How wide a value of this type is, if it is a number or a pointer.
    fn width(&self, number: u32) -> Option<Width> {
        let at = self.place(number)?;
        let size = word(self.bytes, at + 8)?;
        match kind_and_count(word(self.bytes, at + 4)?).0 {
            kind::PTR => Some(Width::Double),
            kind::INT | kind::ENUM => match size {
                1 => Some(Width::Byte),
                2 => Some(Width::Half),
                4 => Some(Width::Word),
                8 => Some(Width::Double),
                _ => None,
            },
            // These have the number of another type where others have their size.
            kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::TYPE_TAG => self.width(size),
            _ => None,
        }
    }

    /// Where the type of this number begins.
    fn place(&self, number: u32) -> Option<usize> {
        self.places.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }

    /// Where the struct or union of this number begins.
    fn inner(&self, number: u32) -> Option<usize> {
        let at = self.place(number)?;
        let (kind, _) = kind_and_count(word(self.bytes, at + 4)?);
        [kind::STRUCT, kind::UNION].contains(&kind).then_some(at)
    }
}

fn kind_and_count(info: u32) -> (u32, usize) {
    (info >> 24 & 0x1f, (info & 0xffff) as usize)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_is_no_layout() {
        let Ok(whole) = fs::read("/sys/kernel/btf/vmlinux") else { return };
        for length in [0, 3, 4, 23, 24, 1000, whole.len() / 2] {
            assert!(Layout::parse(&whole[..length]).is_none(), "{length}");
        }
        let mut foreign = whole;
        foreign[0] ^= 1;
        assert!(Layout::parse(&foreign).is_none());
    }
}
