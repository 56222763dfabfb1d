//! What stands in a picture: namespaces in one another, and in each the tree of its members.

use std::collections::BTreeMap;

use pidlab_scenario::{Line, ProcessLine};

/// The namespaces of a run: what each is called, and which it lies in.
#[derive(Clone, Default, Debug)]
pub(crate) struct Spaces {
    labels: BTreeMap<u16, String>,
    parents: BTreeMap<u16, u16>,
}

impl Spaces {
    /// All that a run ever shows. A namespace is called after its init, the first process in it, also when that has gone.
    pub(crate) fn of(lines: &[Line]) -> Spaces {
        let mut spaces = Spaces::default();
        for process in lines.iter().flat_map(|line| &line.processes) {
            for pair in process.namespaces.windows(2) {
                spaces.parents.entry(pair[1]).or_insert(pair[0]);
            }
            if let (Some(space), Some(1)) = (process.namespaces.last(), process.pids.last()) {
                spaces.labels.entry(*space).or_insert_with(|| process.name.clone());
            }
        }
        spaces
    }

    /// The name of its init.
    pub(crate) fn label(&self, space: u16) -> &str {
        self.labels.get(&space).map_or("?", String::as_str)
    }

    fn inside(&self, space: u16) -> impl Iterator<Item = u16> + '_ {
        self.parents.iter().filter(move |(_, outer)| **outer == space).map(|(inner, _)| *inner)
    }
}

/// A namespace with all that is in it.
#[derive(Debug)]
pub(crate) struct Nest<'a> {
    pub(crate) space: u16,
    pub(crate) nodes: Vec<Node<'a>>,
}

/// What stands in a namespace, or below a process there.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Process(Member<'a>),
    /// A namespace that lies in this one, below the parent of its init.
    Nest(Nest<'a>),
}

/// A member of a namespace.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) process: &'a ProcessLine,
    /// Its parent, where that is not above it in the picture: it lives in another namespace.
    pub(crate) parent_elsewhere: Option<&'a str>,
    pub(crate) below: Vec<Node<'a>>,
}

/// The outermost namespace at this moment.
pub(crate) fn nest<'a>(line: &'a Line, spaces: &'a Spaces) -> Nest<'a> {
    Builder { processes: &line.processes, spaces }.nest(0)
}

struct Builder<'a> {
    processes: &'a [ProcessLine],
    spaces: &'a Spaces,
}

impl<'a> Builder<'a> {
    /// Those that live in a namespace, and in none within it; of a process its first thread.
    fn members(&self, space: u16) -> impl Iterator<Item = &'a ProcessLine> {
        self.processes
            .iter()
            .filter(move |process| process.thread_of.is_none() && process.namespaces.last() == Some(&space))
    }

    fn is_member(&self, name: &str, space: u16) -> bool {
        self.members(space).any(|member| member.name == name)
    }

    /// The parent of a namespace's init, if it is shown in this one.
    fn anchor(&self, inner: u16, space: u16) -> Option<&'a str> {
        let init = self.members(inner).find(|member| member.pids.last() == Some(&1))?;
        init.parent.as_deref().filter(|parent| self.is_member(parent, space))
    }

    fn nest(&self, space: u16) -> Nest<'a> {
        let has_parent =
            |member: &ProcessLine| member.parent.as_deref().is_some_and(|name| self.is_member(name, space));
        let roots = self.members(space).filter(|member| !has_parent(member));
        let mut nodes: Vec<Node<'a>> = roots.map(|member| Node::Process(self.member(member, space))).collect();
        let loose = self.shown_inside(space).filter(|inner| self.anchor(*inner, space).is_none());
        nodes.extend(loose.map(|inner| Node::Nest(self.nest(inner))));
        Nest { space, nodes }
    }

    /// The namespaces directly within this one that anybody is in.
    fn shown_inside(&self, space: u16) -> impl Iterator<Item = u16> {
        let lives = |inner: &u16| self.processes.iter().any(|process| process.namespaces.contains(inner));
        self.spaces.inside(space).filter(lives)
    }

    fn member(&self, process: &'a ProcessLine, space: u16) -> Member<'a> {
        let name = process.name.as_str();
        let threads = self.processes.iter().filter(|other| other.thread_of.as_deref() == Some(name));
        let mut below: Vec<Node<'a>> = threads
            .map(|thread| Node::Process(Member { process: thread, parent_elsewhere: None, below: Vec::new() }))
            .collect();
        let children = self.members(space).filter(|child| child.parent.as_deref() == Some(name));
        below.extend(children.map(|child| Node::Process(self.member(child, space))));
        let inner = self.shown_inside(space).filter(|inner| self.anchor(*inner, space) == Some(name));
        below.extend(inner.map(|inner| Node::Nest(self.nest(inner))));
        // The init of a namespace stands in its box, and the box below its parent.
        let is_hung = |parent: &&str| {
            let outer = self.spaces.parents.get(&space).copied();
            self.is_member(parent, space)
                || outer
                    .is_some_and(|outer| self.anchor(space, outer) == Some(parent) && process.pids.last() == Some(&1))
        };
        let parent_elsewhere = process.parent.as_deref().filter(|parent| !is_hung(parent));
        Member { process, parent_elsewhere, below }
    }
}
