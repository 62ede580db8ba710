//! The processor, as far as it decides which loops run and how they round.

/// The architecture and those of its extensions that select a loop, such as `x86_64 avx avx2 fma avx512f`; `x86_64
/// portable-math` where the build gives equal bits whatever they are.
pub fn instruction_set() -> String {
    let mut names = vec![std::env::consts::ARCH];
    if cfg!(feature = "portable-math") {
        names.push("portable-math");
    } else {
        names.extend(extensions());
    }
    names.join(" ")
}

#[cfg(target_arch = "x86_64")]
fn extensions() -> Vec<&'static str> {
    let found = [
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    let found = found.into_iter().filter(|(_, present)| *present);
    found.map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn extensions() -> Vec<&'static str> {
    Vec::new()
}

/// Name of the processor, such as `AMD EPYC 9R14`; empty where the system does not say. Sizes of its caches select the blocks
/// of matrix products.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    name.unwrap_or_default()
}
