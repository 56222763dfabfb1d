//! Who is in which PID namespace, and which namespace lies in which.
//!
//! Whoever may trace a process is told the inode of its namespace. The rest follows from PIDs and parents:
//!
//! - a process with one PID is in the procfs's own namespace;
//! - a process whose last PID is 1 is the init of a namespace of its own;
//! - a parent is in its child's namespace or in an ancestor of that (setns(2) leads downward only): one with as many PIDs is in the same
//!   namespace, and one with one less is in the one around it.
//!
//! Where this leaves several, nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{Process, Snapshot};

/// A PID namespace that somebody is in.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) inode: Option<u64>,
    /// How deep it lies below the procfs's, which is 0.
    pub(crate) level: usize,
    /// Its init, as an index of processes.
    pub(crate) init: Option<usize>,
    /// The namespace around it; of the outermost, and where it is not known, none.
    pub(crate) around: Option<usize>,
    /// Who is in it, and in none below, by PID.
    pub(crate) members: Vec<usize>,
}

/// The namespaces of a snapshot, by indices.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    pub(crate) processes: &'a [Process],
    by_pid: BTreeMap<u32, usize>,
    of: Vec<Option<usize>>,
    /// Namespaces with the numbers that their members have in them.
    taken: BTreeSet<(usize, u32)>,
    pub(crate) namespaces: Vec<Namespace>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Places<'a> {
        let processes = &snapshot.processes;
        let by_pid = processes.iter().enumerate().map(|(index, process)| (process.pid, index)).collect();
        let outermost = Namespace { inode: None, level: 0, init: None, around: None, members: Vec::new() };
        let mut places = Places {
            processes,
            by_pid,
            of: vec![None; processes.len()],
            taken: BTreeSet::new(),
            namespaces: vec![outermost],
        };
        places.place_by_inode();
        let mut levels: Vec<usize> = (0..processes.len()).filter(|index| places.of[*index].is_none()).collect();
        levels.sort_by_key(|index| processes[*index].level());
        places.nest();
        for index in levels {
            if let Some(namespace) = places.by_parents(index) {
                places.place(index, namespace);
            }
        }
        for index in 0..processes.len() {
            if let Some(namespace) = places.of[index] {
                places.namespaces[namespace].members.push(index);
            }
        }
        places.nest();
        places
    }

    /// Those whose inode is known, and the inits, which are told by their PIDs.
    fn place_by_inode(&mut self) {
        let mut known = BTreeMap::new();
        for (index, process) in self.processes.iter().enumerate() {
            let new = self.namespaces.len();
            let namespace = match process.namespace {
                _ if process.level() == 0 => 0,
                Some(inode) => *known.entry(inode).or_insert(new),
                None if process.is_init() => new,
                None => continue,
            };
            if namespace == new {
                let level = process.level();
                self.namespaces.push(Namespace { inode: None, level, init: None, around: None, members: Vec::new() });
            }
            let found = &mut self.namespaces[namespace];
            found.inode = found.inode.or(process.namespace);
            if process.is_init() {
                found.init = Some(index);
            }
            self.place(index, namespace);
        }
    }

    fn place(&mut self, index: usize, namespace: usize) {
        self.of[index] = Some(namespace);
        self.taken.extend(self.processes[index].numbers.last().map(|number| (namespace, *number)));
    }

    /// Finds the namespace around each that has none yet.
    fn nest(&mut self) {
        let mut order: Vec<usize> = (1..self.namespaces.len()).collect();
        order.sort_by_key(|namespace| self.namespaces[*namespace].level);
        for namespace in order {
            if self.namespaces[namespace].around.is_none() {
                self.namespaces[namespace].around = self.around(namespace);
            }
        }
    }

    fn around(&self, namespace: usize) -> Option<usize> {
        let level = self.namespaces[namespace].level;
        if level == 1 {
            return Some(0);
        }
        let is_around = |parent: &usize| self.processes[*parent].level() + 1 == level;
        let init = self.namespaces[namespace].init;
        let by_parent = |member: usize| self.process(self.processes[member].parent).filter(is_around);
        let members = init.iter().chain(&self.namespaces[namespace].members);
        if let Some(found) = members.filter_map(|member| self.of[by_parent(*member)?]).next() {
            return Some(found);
        }
        // Nobody's parent tells: the one in which the PID that its init has there is nobody else's.
        let init = init?;
        let number = self.processes[init].numbers[level - 1];
        let parents = self.process(self.processes[init].parent).and_then(|parent| self.of[parent]);
        self.only(level - 1, parents.unwrap_or(0), number)
    }

    /// The namespace of a process that has hidden it.
    fn by_parents(&self, index: usize) -> Option<usize> {
        let level = self.processes[index].level();
        let parent = self.process(self.processes[index].parent);
        match parent {
            // Its parent may be hidden as well, and is then placed before it, or after.
            Some(parent) if self.processes[parent].level() == level => match self.of[parent] {
                Some(found) => Some(found),
                None if parent != index => self.by_parents(parent),
                None => None,
            },
            _ => {
                let below = parent.and_then(|parent| self.of[parent]).unwrap_or(0);
                self.only(level, below, self.processes[index].numbers[level])
            }
        }
    }

    /// The namespace of this level, within another, in which nobody has this number; if there is just one.
    fn only(&self, level: usize, within: usize, number: u32) -> Option<usize> {
        let mut found = (0..self.namespaces.len()).filter(|namespace| {
            self.namespaces[*namespace].level == level
                && self.lies_in(*namespace, within)
                && !self.taken.contains(&(*namespace, number))
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Whether a namespace is another, or lies in it at any depth, as far as is known.
    pub(crate) fn lies_in(&self, mut inner: usize, outer: usize) -> bool {
        while self.namespaces[inner].level > self.namespaces[outer].level {
            match self.namespaces[inner].around {
                Some(around) => inner = around,
                None => return false,
            }
        }
        inner == outer
    }

    /// Whether a process has a PID in this namespace.
    pub(crate) fn is_inside(&self, process: usize, namespace: usize) -> bool {
        self.of[process].is_some_and(|own| self.lies_in(own, namespace))
    }

    /// Who may have a PID in this namespace, for all that is known: whoever has one so deep that is not known to be in another, and not to be
    /// somebody else's there.
    pub(crate) fn perhaps_inside(&self, namespace: usize) -> Vec<usize> {
        let level = self.namespaces[namespace].level;
        let number = |index: &usize| self.processes[*index].numbers.get(level).copied();
        let inside = (0..self.processes.len()).filter(|index| self.is_inside(*index, namespace));
        let taken: BTreeSet<u32> = inside.filter_map(|index| number(&index)).collect();
        let is_unknown = |index: &usize| match self.of[*index] {
            Some(own) => self.namespaces[own].level > level && self.is_lost(own, level),
            None => true,
        };
        let is_free = |index: &usize| number(index).is_some_and(|number| !taken.contains(&number));
        (0..self.processes.len()).filter(is_unknown).filter(is_free).collect()
    }

    /// Whether it is not known what lies around a namespace, up to this level.
    fn is_lost(&self, mut namespace: usize, level: usize) -> bool {
        while self.namespaces[namespace].level > level {
            match self.namespaces[namespace].around {
                Some(around) => namespace = around,
                None => return true,
            }
        }
        false
    }

    /// The namespace that a process is in, if it is known.
    pub(crate) fn namespace(&self, process: usize) -> Option<usize> {
        self.of[process]
    }

    /// The process with this PID in the procfs.
    pub(crate) fn process(&self, pid: u32) -> Option<usize> {
        self.by_pid.get(&pid).copied()
    }

    /// The process that has this number in a namespace.
    pub(crate) fn with_number(&self, namespace: usize, number: u32) -> Option<usize> {
        let level = self.namespaces[namespace].level;
        (0..self.processes.len()).find(|index| {
            self.processes[*index].numbers.get(level) == Some(&number) && self.is_inside(*index, namespace)
        })
    }

    /// The PID of a process in a namespace.
    pub(crate) fn number(&self, process: usize, namespace: usize) -> Option<u32> {
        if !self.is_inside(process, namespace) {
            return None;
        }
        self.processes[process].numbers.get(self.namespaces[namespace].level).copied()
    }

    /// Who adopts the children of a process that ends, but for a subreaper that procfs does not tell of: the init of its namespace, unless it
    /// is that itself.
    pub(crate) fn adopter(&self, process: usize) -> Option<usize> {
        self.namespaces[self.of[process]?].init.filter(|init| *init != process)
    }
}
