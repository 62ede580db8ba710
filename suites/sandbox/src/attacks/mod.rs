//! Tests.
use super::*;
#[test]
fn opens() {
    let s = Sandbox::open(&SandboxLimits::default(), Policy::Isolated);
    let s = match s {
        Ok(s) => s,
        Err(e) => panic!("{e}"),
    };
    let p = Program {
        source: "def f(x):\n    return 2*x\n".into(),
        names: vec!["f".into()],
        tests: "assert f(2)==4".into(),
        ..Program::default()
    };
    let t = std::time::Instant::now();
    for _ in 0..20 {
        assert_eq!(s.judge(&p), ProgramVerdict::Passed);
    }
    eprintln!("{:?} each", t.elapsed() / 20);
}
