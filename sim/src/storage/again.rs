//! Copies into the memory of what they replace: `clone_from` as it is derived copies anew.

/// Copies a record into another of its kind, field by field. To leave one out does not compile.
macro_rules! clone_fields {
    ($into:expr, $from:expr, $record:ident { $($field:ident),+ $(,)? }) => {{
        let $record { $($field),+ } = $from;
        $($into.$field.clone_from($field);)+
    }};
}
pub(crate) use clone_fields;

/// Lets a record with these fields be copied, also into another.
macro_rules! clone_by_fields {
    ($record:ident { $($field:ident),+ $(,)? }) => {
        impl Clone for $record {
            fn clone(&self) -> $record {
                let $record { $($field),+ } = self;
                $record { $($field: $field.clone()),+ }
            }

            fn clone_from(&mut self, source: &$record) {
                crate::storage::again::clone_fields!(self, source, $record { $($field),+ });
            }
        }
    };
}
pub(crate) use clone_by_fields;
