//! What the value rules promise together.

use super::{drop_last_token, mask_cut};
use crate::keys::Keyring;
use crate::policy::{Class, Policy};
use crate::rules::{Rules, UNBOUNDED};

fn masked(text: &str) -> (String, u64) {
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    let masked = rules.text(text).into_owned();
    (masked, rules.masked)
}

/// Each rule masks its secrets within one text, and counts them.
#[test]
fn rules_work_together() {
    for (text, expected, count) in [
        (
            "see eyJhbGciOiJI.eyJz.x and pin=1",
            "see [MASKED] and pin=[MASKED]",
            2,
        ),
        (
            "Bearer abcdefgh12 https://u:p@h/",
            "Bearer [MASKED] https://[MASKED]@h/",
            2,
        ),
        (
            "x --token abc <password>x</password>",
            "x --token [MASKED] <password>[MASKED]</password>",
            2,
        ),
        (
            "('password', 'x') 4242 4242 4242 4242",
            "('password', '[MASKED]') [MASKED]",
            2,
        ),
        ("{\"password\": \"x\"}", "{\"password\": \"[MASKED]\"}", 1),
        (
            "{\"a\": \"{\\\"pin\\\": 1}\"}",
            "{\"a\": \"{\\\"pin\\\": \\\"[MASKED]\\\"}\"}",
            1,
        ),
        ("password is asked for", "password is asked for", 0),
    ] {
        assert_eq!(masked(text), (expected.to_owned(), count), "{text}");
    }
}

/// What was masked stays as it is when it is masked again.
#[test]
fn masks_are_final() {
    let (once, _) = masked("a password='x y' http://h/?code=1;b&c=%74oken%3Dx Basic dXNlcjpwYXNz");
    assert_eq!(masked(&once), (once.clone(), 0));
}

/// Personal data is masked for those who ask for it.
#[test]
fn classes_are_opted_in() {
    let text = "anna@example.com 10.0.0.1";
    assert_eq!(masked(text).0, text);
    let policy = Policy {
        keyring: Keyring::default(),
        mask_values: true,
        classes: vec![Class::Email, Class::Ip],
    };
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    assert_eq!(rules.text(text), "[MASKED] [MASKED]");
}

/// A cut leaves no half of a secret.
#[test]
fn cuts_leave_no_half() {
    assert_eq!(drop_last_token("a bc"), "a ");
    assert_eq!(drop_last_token("a http://u:p d"), "a http://u:p ");
    assert_eq!(drop_last_token("a http://u:p,d"), "a http://");
    assert_eq!(drop_last_token("card 4242 4242 42"), "card");
    let policy = Policy::default();
    assert_eq!(
        mask_cut("a pin=x y", &mut Rules::new(&policy, UNBOUNDED, 0)),
        "a pin=[MASKED] …"
    );
}
