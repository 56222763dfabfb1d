//! How a function comes to run before main.

/// Lets a function run before main, in every program that this crate is linked into, and defines `constructor`, which who needs that
/// must call: nothing else keeps it in the program. The C library gives the function the arguments of main; std has its environment by
/// then.
macro_rules! before_main {
    ($enter:path) => {
        #[used]
        #[expect(
            unsafe_code,
            reason = "the section holds pointers to such functions, and the linker knows it by its name"
        )]
        #[unsafe(link_section = ".init_array")]
        static BEFORE_MAIN: extern "C" fn() = {
            extern "C" fn before_main() {
                $enter();
            }
            before_main
        };

        /// Keeps the function in the program: not 0.
        pub(crate) fn constructor() -> usize {
            std::hint::black_box(BEFORE_MAIN as usize)
        }
    };
}

pub(crate) use before_main;
