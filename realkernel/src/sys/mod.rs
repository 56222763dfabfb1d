//! Everything `unsafe` in this crate: system calls and the memory that processes share.
//!
//! - [`raw`]: system calls in assembly, for code that runs in an agent. An agent may share its memory with the conductor, C
//!   library state included, so it must not touch `errno`, the allocator or thread-local storage.
//! - [`looking`]: more of these, by which an agent looks at others.
//! - [`sockets`]: how descriptors and credentials pass to an agent.
//! - [`os`]: system calls of ordinary single-threaded processes: the guard and the conductor.
//! - [`bpf`]: a program in the kernel, and the memory that it writes into.
//! - [`bare`]: the yardstick of the benchmarks.
//! - [`plain`]: what ordinary programs do, for tools beside scenarios.
//! - [`arena`]: the memory through which conductor and agents speak.
//! - [`memory`]: what of the conductor's memory a fork copies.
//! - [`before_main`]: the macro for the constructor.
#![expect(unsafe_code, reason = "system calls and shared memory; one call a function, each with its argument")]

pub(crate) mod arena;
pub mod bare;
pub(crate) mod before_main;
pub(crate) mod bpf;
pub(crate) mod looking;
pub(crate) mod memory;
pub(crate) mod os;
pub mod plain;
pub(crate) mod queues;
pub(crate) mod raw;
pub(crate) mod sockets;
