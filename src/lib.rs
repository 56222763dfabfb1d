//! pidlab
