use std::fs::File;

use super::*;
use crate::run::heartbeat::INTERVAL;

fn claims(folder: &Path) -> Claims {
    Claims::new(folder.join("claims"))
}

fn claimed(claims: &Claims, run: &str) -> (Claim, Option<Holder>) {
    match claims.attempt(run).unwrap() {
        Attempt::Claimed(claim, former) => (claim, former),
        Attempt::Held(holder) => panic!("held by {}", holder.process),
    }
}

fn is_held(claims: &Claims, run: &str) -> bool {
    matches!(claims.attempt(run).unwrap(), Attempt::Held(_))
}

/// A claim as another process would have left it.
fn leave(claims: &Claims, run: &str, process: ProcessIdentity, age: Duration) {
    fs::create_dir_all(&claims.folder).unwrap();
    let path = claims.path(run, 1);
    let holder = Holder {
        process,
        since: String::new(),
    };
    fs::write(&path, serde_json::to_vec(&holder).unwrap()).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn elsewhere() -> ProcessIdentity {
    ProcessIdentity {
        host: "elsewhere".to_owned(),
        boot: "another".to_owned(),
        pid: 1,
        started: 1,
    }
}

#[test]
fn a_run_is_held_until_its_claim_is_dropped_and_nothing_remains() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    let (claim, former) = claimed(&claims, "a");
    assert!(former.is_none() && claim.is_held());
    assert!(is_held(&claims, "a"));
    // Names that begin with another's.
    assert!(!is_held(&claims, "a.1") && !is_held(&claims, "ab"));
    drop(claim);
    assert!(!is_held(&claims, "a"));
    assert_eq!(fs::read_dir(&claims.folder).unwrap().count(), 0);
}

#[test]
fn the_claim_of_an_ended_process_is_taken_over_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    let ended = ProcessIdentity {
        started: ProcessIdentity::own().started - 1,
        ..ProcessIdentity::own()
    };
    leave(&claims, "a", ended.clone(), Duration::ZERO);
    let (claim, former) = claimed(&claims, "a");
    assert_eq!(former.unwrap().process, ended);
    assert_eq!(claim.generation, 2);
    assert!(is_held(&claims, "a"));
}

#[test]
fn a_claim_of_another_machine_is_taken_over_when_its_heartbeat_has_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    leave(&claims, "a", elsewhere(), STALE_AFTER - INTERVAL);
    assert!(is_held(&claims, "a"));
    leave(&claims, "a", elsewhere(), STALE_AFTER + INTERVAL);
    let (claim, former) = claimed(&claims, "a");
    assert_eq!(former.unwrap().process, elsewhere());
    drop(claim);
    assert!(!is_held(&claims, "a"));
}

#[test]
fn a_claim_that_cannot_be_read_is_held_while_its_heartbeat_continues() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    fs::create_dir_all(&claims.folder).unwrap();
    fs::write(claims.path("a", 1), "{").unwrap();
    assert!(is_held(&claims, "a"));
}

#[test]
fn a_holder_finds_that_it_was_taken_over_and_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    let (stalled, _) = claimed(&claims, "a");
    fs::write(claims.path("a", 2), "the next").unwrap();
    assert!(!stalled.is_held());
    drop(stalled);
    assert!(claims.path("a", 2).exists());
}

#[test]
fn of_many_simultaneous_attempts_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    leave(&claims, "stale", elsewhere(), 2 * STALE_AFTER);
    for run in ["free", "stale"] {
        let attempts: Vec<Option<Claim>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|_| scope.spawn(|| claims.attempt(run).unwrap()))
                .collect();
            let ended = threads
                .into_iter()
                .map(|thread| match thread.join().unwrap() {
                    Attempt::Claimed(claim, _) => Some(claim),
                    Attempt::Held(_) => None,
                });
            ended.collect()
        });
        assert_eq!(attempts.into_iter().flatten().count(), 1, "{run}");
    }
}

#[test]
fn the_heartbeat_writes_what_the_process_does() {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(folder.path());
    let (claim, _) = claimed(&claims, "a");
    claim.activity.update(|activity| {
        activity.step = 5;
        activity.steps = 25;
        activity.steps_per_s = 2.0;
    });
    let beat = Heartbeat {
        claim: claims.path("a", 1),
        next: claims.path("a", 2),
        activity_file: claims.activity_file("a"),
        activity: claim.activity.clone(),
        lost: claim.lost.clone(),
    };
    beat.beat();
    let activity = claims.activity("a").unwrap();
    assert_eq!((activity.step, activity.seconds_left()), (5, Some(10.0)));
}
