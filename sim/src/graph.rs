//! The world as a graph, for pictures and for questions that graphs answer.

use petgraph::graphmap::DiGraphMap;

use crate::{NsId, TaskId, World};

/// A thing in the world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Node {
    /// A task.
    Task(TaskId),
    /// A PID namespace.
    Namespace(NsId),
}

/// How one thing belongs to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Edge {
    /// From a process to its child.
    Child,
    /// From a namespace to one made in it.
    Nested,
    /// From a namespace to a process in it.
    Member,
}

/// Processes and namespaces, and how they belong together.
pub type Graph = DiGraphMap<Node, Edge>;

impl World {
    /// The forest of processes and the tree of namespaces, in one graph.
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for ns in self.namespaces() {
            graph.add_node(Node::Namespace(ns));
            if let Some(parent) = self.parent_namespace(ns) {
                graph.add_edge(Node::Namespace(parent), Node::Namespace(ns), Edge::Nested);
            }
        }
        for process in self.tasks() {
            graph.add_edge(Node::Namespace(self.namespace(process)), Node::Task(process), Edge::Member);
            for child in self.children(process) {
                graph.add_edge(Node::Task(process), Node::Task(child), Edge::Child);
            }
        }
        graph
    }
}
