use std::collections::HashSet;

use super::{is_title, role, Keyring, Place, INPUT, MASK, NAME, SAFE, TITLE, VALUE, WALK};
use crate::assignments::holds_stem;
use crate::names::{CONTAINS, ENDS, EXACT, FORM_ENDS, FORM_EXACT, HEADER_ENDS, HEADER_EXACT, LAST_WORDS};

fn names(given: &[&str]) -> HashSet<String> {
    given.iter().map(ToString::to_string).collect()
}

/// Built-in names are secrets in every spelling, and those that only talk about one are not.
#[test]
fn built_in_names() {
    let keyring = Keyring::default();
    for key in [
        "password",
        "user[Password2]",
        "API-Key",
        "x.tokenValue",
        "ｐassword",
        "refresh_tokens",
    ] {
        assert_eq!(keyring.judge(key, Place::Payload), MASK, "{key}");
    }
    for key in [
        "password_policy",
        "hasPassword",
        "nextPageToken",
        "total_tokens",
        "company",
        "secretary",
    ] {
        assert_eq!(keyring.judge(key, Place::Payload), SAFE, "{key}");
    }
    assert_eq!(keyring.judge("userPin", Place::Payload), WALK);
    assert_eq!(keyring.judge("password", Place::None), SAFE);
}

/// Forms and headers know secrets by names that payloads use freely.
#[test]
fn places_differ() {
    let keyring = Keyring::default();
    assert_eq!(keyring.judge("code", Place::Payload), SAFE);
    assert_eq!(keyring.judge_field("code"), MASK);
    assert_eq!(keyring.judge("x-my-key", Place::Header), MASK);
    assert_eq!(keyring.judge("Idempotency-Key", Place::Header), SAFE);
    assert_eq!(keyring.judge("session_id", Place::Payload), MASK);
    assert_eq!(keyring.judge("session_id", Place::Log), SAFE);
}

/// Remote names beat unmasked ones, unmasked ones beat the rest and do not reach free text.
#[test]
fn lists_of_names_have_their_order() {
    let keyring = Keyring::new(
        names(&["plate"]),
        names(&["password", "iban"]),
        names(&["iban"]),
        false,
    );
    assert!(keyring.custom());
    assert_eq!(keyring.judge("IBAN", Place::Payload), MASK);
    assert_eq!(keyring.judge("password", Place::Payload), SAFE);
    assert_eq!(keyring.judge("secret.password", Place::Payload), MASK);
    assert_eq!(keyring.judge("car.plates2", Place::Payload), MASK);
    assert_eq!(keyring.judge_name("password", false), MASK);
}

/// With `contains_only` the words hold and the tables of whole names do not.
#[test]
fn second_pass_knows_words_only() {
    let keyring = Keyring::new(names(&[]), names(&[]), names(&[]), true);
    assert!(!keyring.custom());
    assert_eq!(keyring.judge("my_password", Place::Payload), MASK);
    assert_eq!(keyring.judge("token", Place::Payload), SAFE);
}

/// Roles are found in any spelling up to the length of one.
#[test]
fn roles_by_spelling() {
    assert_eq!(role("Name"), NAME);
    assert_eq!(role("_value"), VALUE);
    assert_eq!(role("i\u{200b}d"), TITLE);
    assert_eq!(role("ctx"), INPUT);
    assert_eq!(role("n_a_m_e__"), 0);
}

/// Every built-in name holds a stem, so that what holds none needs no verdict.
#[test]
fn names_hold_stems() {
    let names = [
        EXACT,
        CONTAINS,
        ENDS,
        LAST_WORDS,
        FORM_EXACT,
        FORM_ENDS,
        HEADER_EXACT,
        HEADER_ENDS,
    ];
    for name in names.concat() {
        assert!(holds_stem(name), "{name}");
    }
}

/// However names are joined and spelled, the short way to a verdict says what the long one does.
#[test]
fn harmless_names_are_safe() {
    let parts = [
        "", "p", "i", "n", "pin", "pan", "s", "id", "sid", "key", "K", "ey", "sig", "code", "x", "user",
        "has", "Token", "PASS", "word", "v", "2", "value", "-", "_", ".", "[", "]", "/", ":", "hub", "256",
        "access",
    ];
    let mut keyring = Keyring::default();
    let mut others = 0;
    for first in parts {
        for second in parts {
            for third in parts {
                for fourth in ["", "s", "n", "_2", ".x"] {
                    let name = format!("{first}{second}{third}{fourth}");
                    if !keyring.is_harmless(&name) {
                        continue;
                    }
                    others += 1;
                    keyring.masked.insert(String::from("nothing else")); // the long way
                    for place in [Place::Payload, Place::Form, Place::Header, Place::Log] {
                        assert_eq!(keyring.judge(&name, place), SAFE, "{name}");
                    }
                    assert_eq!(keyring.judge_name(&name, true), SAFE, "{name}");
                    keyring.masked.clear();
                }
            }
        }
    }
    assert!(others > 10_000, "{others}");
}

/// Words that people use in another sense are no titles.
#[test]
fn titles_are_strong_names() {
    assert!(is_title("Password"));
    assert!(!is_title("Sessions"));
}
