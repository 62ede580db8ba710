use super::*;

const GOOD: &str = "name = \"mine\"\nversion = 1\nsplit = \"test\"\nsource.files = [\"a.jsonl\"]\n\
                    text = \"{{ question }}\"\n[generate]\nanswers = \"answers\"\n";

#[test]
fn invalid_declarations_are_one_message() {
    assert!(Task::parse("mine", GOOD).is_ok());
    let message = |from: &str, to: &str| {
        let error = Task::parse("mine.toml", &GOOD.replace(from, to)).unwrap_err();
        error.to_string()
    };
    assert!(message("version", "versoin").contains("unknown field `versoin`"));
    assert!(message("[generate]\nanswers = \"answers\"", "").contains("exactly one"));
    assert!(message("{{ question }}", "{{ question").contains("task mine: `text`"));
    assert!(message("= \"answers\"", "= \"answers |\"").contains("`generate.answers`"));
    assert!(message("\"answers\"", "\"answers\"\nexact_match.ignore = [\"(\"]").contains("ignore"));
    assert!(message("\"a.jsonl\"", "").contains("`source.files`"));
    assert!(message("{{ question }}", "{{ question | nope }}").contains("nope"));
    assert!(!message("version", "versoin").contains('\n'));
}

#[test]
fn the_fingerprint_depends_on_every_key() {
    let of = |text: &str| Task::parse("mine", text).unwrap().fingerprint();
    assert_eq!(of(GOOD), of(GOOD));
    assert_ne!(
        of(GOOD),
        of(&GOOD.replace("\"answers\"", "\"answers\"\nstop = [\"x\"]"))
    );
}
