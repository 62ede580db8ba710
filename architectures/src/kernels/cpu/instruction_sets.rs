//! For tests: the same loop compiled for each instruction set that the kernels are compiled for.

/// Defines a function that runs `body` with AVX-512, with AVX2 alone and with neither, as far as this processor has them, and
/// returns the results by the name of the instruction set. Loops in `body` must be `#[inline(always)]`.
macro_rules! on_instruction_sets {
    (fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty $body:block) => {
        fn $name($($argument: $type),*) -> Vec<(&'static str, $result)> {
            #[inline(always)]
            fn body($($argument: $type),*) -> $result $body
            let mut results = vec![("none", body($($argument),*))];
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) -> $result {
                    body($($argument),*)
                }
                #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
                fn avx512($($argument: $type),*) -> $result {
                    body($($argument),*)
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has the instructions.
                    results.push(("AVX2", unsafe { avx2($($argument),*) }));
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                        // SAFETY: as above.
                        results.push(("AVX-512", unsafe { avx512($($argument),*) }));
                    }
                }
            }
            results
        }
    };
}

pub(crate) use on_instruction_sets;
