//! Commands as a shell reads them.

use std::borrow::Cow;

use experiment::sweep_file::Sweep;

/// `word` in a form that a shell reads as one word. No argument of a process has a NUL, which cannot be quoted; it is left
/// out.
pub fn quoted(word: &str) -> String {
    let word: Cow<str> = match word.contains('\0') {
        true => word.replace('\0', "").into(),
        false => word.into(),
    };
    match shlex::try_quote(&word) {
        Ok(quoted) => quoted.into_owned(),
        Err(_) => String::new(),
    }
}

/// The arguments by which a command loads `sweep`: its file and the keys given in place of the file's own.
pub fn sweep_arguments(sweep: &Sweep) -> String {
    let mut words = quoted(&sweep.argument);
    for given in &sweep.overrides {
        words += " --set ";
        words += &quoted(&given.to_string());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_given() {
        for word in [
            "",
            "memory+",
            "a b",
            "it's",
            "$(x) `y` \"z\" \\",
            "a\nb",
            "größe",
        ] {
            assert_eq!(
                shlex::split(&quoted(word)),
                Some(vec![word.to_owned()]),
                "{word}"
            );
        }
        assert_eq!(quoted("memory+"), "memory+");
        let sweep = Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap();
        let given = "blocks.\"m+\".kind=dense";
        let sweep = Sweep {
            argument: "my sweep.toml".to_owned(),
            overrides: vec![given.parse().unwrap()],
            ..sweep
        };
        let words = shlex::split(&sweep_arguments(&sweep)).unwrap();
        assert_eq!(words, ["my sweep.toml", "--set", given]);
    }
}
