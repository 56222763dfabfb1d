//! The kernels of the table, as those are asked who hear claims.

use pidlab_claims::Kernel;
use pidlab_page::{KERNELS, KernelFacts};

/// Each kernel of [`KERNELS`] with its facts.
pub fn kernels() -> Vec<Kernel> {
    let kernel = |kernel: &KernelFacts| Kernel {
        name: kernel.name.to_owned(),
        release: kernel.release.to_owned(),
        facts: kernel.facts(),
    };
    KERNELS.iter().map(kernel).collect()
}
