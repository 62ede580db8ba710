//! The C library's functions of `f32` and `f64`, replaced by those of the `libm` crate.
//!
//! glibc chooses among several versions of `exp`, `log`, `pow`, `sin` and others by the processor, which round differently,
//! and other C libraries round differently again. `f64::exp` and the like, also inside other crates, call the symbols of
//! these names; a program that links this crate gets the definitions here. Functions that are exact or correctly
//! rounded everywhere, such as `sqrt`, `fma` and `floor`, are left alone.

/// Defines `extern "C"` functions of these names by those of the `libm` crate.
macro_rules! define {
    ($float:ty: $($name:ident($($argument:ident),+))+) => {$(
        // SAFETY: name, arguments and result are those of C.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $float),+) -> $float {
            libm::$name($($argument),+)
        }
    )+};
}

define! { f32:
    acosf(x) asinf(x) atanf(x) atan2f(y, x) cbrtf(x) cosf(x) coshf(x) expf(x) exp10f(x) exp2f(x) expm1f(x) hypotf(x, y)
    log10f(x) log1pf(x) log2f(x) logf(x) powf(x, y) sinf(x) sinhf(x) tanf(x) tanhf(x)
}

define! { f64:
    acos(x) asin(x) atan(x) atan2(y, x) cbrt(x) cos(x) cosh(x) exp(x) exp10(x) exp2(x) expm1(x) hypot(x, y)
    log10(x) log1p(x) log2(x) log(x) pow(x, y) sin(x) sinh(x) tan(x) tanh(x)
}

// The compiler joins the sine and the cosine of one number.
// SAFETY: name, arguments and result are those of the GNU C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn sincosf(x: f32, sine: *mut f32, cosine: *mut f32) {
    // SAFETY: the caller passes valid pointers.
    unsafe { (*sine, *cosine) = libm::sincosf(x) }
}

// SAFETY: name, arguments and result are those of the GNU C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn sincos(x: f64, sine: *mut f64, cosine: *mut f64) {
    // SAFETY: the caller passes valid pointers.
    unsafe { (*sine, *cosine) = libm::sincos(x) }
}
