use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! errnos {
    ($($name:ident = $number:literal),* $(,)?) => {
        /// What a system call answers instead of a value (errno(3)), with Linux's numbers on the common architectures.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Errno {
            $(#[doc = concat!("`", stringify!($name), "`, ", $number, ".")] $name,)*
        }

        impl Errno {
            /// Every errno that the language knows, in order of number.
            pub const ALL: &[Errno] = &[$(Errno::$name),*];

            /// Its number, as errno(3) has it.
            pub const fn number(self) -> i32 {
                match self { $(Errno::$name => $number),* }
            }

            /// Its name: `ESRCH`.
            pub const fn name(self) -> &'static str {
                match self { $(Errno::$name => stringify!($name)),* }
            }
        }
    };
}

errnos! {
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, E2BIG = 7, EBADF = 9, ECHILD = 10, EAGAIN = 11, ENOMEM = 12,
    EACCES = 13, EFAULT = 14, EBUSY = 16, EEXIST = 17, ENOTDIR = 20, EINVAL = 22, EMFILE = 24, ENOTTY = 25,
    ENOSPC = 28, EPIPE = 32, ERANGE = 34, ENOSYS = 38, EREMOTE = 66, EUSERS = 87, EOPNOTSUPP = 95,
}

impl Errno {
    /// The errno with this number, if the language knows it.
    pub fn new(number: i32) -> Option<Errno> {
        Errno::ALL.iter().copied().find(|errno| errno.number() == number)
    }

    /// The errno with this name.
    pub fn from_name(name: &str) -> Option<Errno> {
        Errno::ALL.iter().copied().find(|errno| errno.name() == name)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Errno {}
