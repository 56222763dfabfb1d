//! Enums that go through shared memory, as numbers.

/// Declares an enum whose variants are numbered from 1, in the order in which they stand, and the way back from a number.
macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident {
        $(#[$first_doc:meta])* $first:ident, $($(#[$doc:meta])* $variant:ident),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub(crate) enum $name {
            $(#[$first_doc])*
            $first = 1,
            $($(#[$doc])* $variant),*
        }

        impl $name {
            /// The number that stands for it; 0 is never one.
            pub(crate) const fn number(self) -> u32 {
                self as u32
            }

            /// What a number stands for.
            fn of(number: u32) -> Option<$name> {
                const ALL: &[$name] = &[$name::$first, $($name::$variant),*];
                ALL.iter().copied().find(|known| known.number() == number)
            }
        }
    };
}

pub(super) use numbered;
