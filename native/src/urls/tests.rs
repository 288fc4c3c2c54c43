//! What the rules for URLs promise.

use super::{mask_escapes_in, mask_parameters, mask_url_parts, mask_urls_in, quote, unquote};
use crate::policy::Policy;
use crate::rules::{Rules, UNBOUNDED};

fn url(text: &str) -> String {
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    mask_url_parts(text, &mut rules.form_parameters()).into_owned()
}

fn within(text: &str) -> (String, u64) {
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    let masked = mask_urls_in(text, &mut rules.parameters(1)).into_owned();
    (masked, rules.masked)
}

/// Escapes are decoded as Python does: a wrong one stays, what is no UTF-8 is replaced.
#[test]
fn escapes_are_decoded() {
    assert_eq!(unquote("a%20b+c%zz%4"), "a b c%zz%4");
    assert_eq!(unquote("%C3%A9%ff%ED%A0%80"), "é\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}");
    assert_eq!(quote("a b[MASKED]é"), "a%20b[MASKED]%C3%A9");
}

/// A secret parameter is masked up to the next `&`; names are decoded first.
#[test]
fn parameters_are_masked_by_name() {
    assert_eq!(
        url("/a?token=x;y&b=1#code=2"),
        "/a?token=[MASKED]&b=1#code=[MASKED]"
    );
    assert_eq!(url("/a?t%6Fken=x&b="), "/a?t%6Fken=[MASKED]&b=");
    assert_eq!(
        url("/cart;jsessionid=x/y;a=1?b"),
        "/cart;jsessionid=[MASKED]/y;a=1?b"
    );
    assert_eq!(url("/a?q=token%3Dabc"), "/a?q=token%3D[MASKED]");
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    assert_eq!(
        mask_parameters("a=1&pin=2", &mut rules.form_parameters()),
        "a=1&pin=[MASKED]"
    );
}

/// Userinfo is masked in every authority, also if a password holds a slash.
#[test]
fn userinfo_is_masked() {
    assert_eq!(url("http://u:p@h/x@y"), "http://[MASKED]@h/x@y");
    assert_eq!(url("//u:p@h"), "//[MASKED]@h");
    assert_eq!(url("http://u:p/a@h/x"), "http://[MASKED]@h/x");
    assert_eq!(url("http://h:80/a@b"), "http://h:80/a@b");
    assert_eq!(url("http://[::1]:80/a@b"), "http://[::1]:80/a@b");
}

/// The path of a webhook is its credential.
#[test]
fn hooks_are_masked() {
    for fixed in [
        "https://hooks.slack.com/services/",
        "https://u@HOOKS.slack.com:443/triggers/",
        "https://discord.com/api/webhooks/1/",
        "https://ptb.discordapp.com/api/v10/webhooks/12/",
        "https://a-b.webhook.office.com/webhookb2/",
    ] {
        let masked = url(&format!("{fixed}T0/x"));
        assert!(masked.ends_with("/[MASKED]"), "{masked}");
        assert_eq!(url(fixed).matches("MASKED").count(), fixed.matches('@').count());
    }
}

/// URLs within a text are found wherever they stand, and counted.
#[test]
fn urls_in_a_text_are_masked() {
    assert_eq!(
        within("see http://u:p@h/?token=x)."),
        ("see http://[MASKED]@h/?token=[MASKED]).".to_owned(), 2)
    );
    assert_eq!(
        within("at //u:p@h/x, a//u:p@h"),
        ("at //[MASKED]@h/x, a//u:p@h".to_owned(), 1)
    );
}

/// A run of escapes is masked as the text that it encodes.
#[test]
fn encoded_text_is_masked() {
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    let masked = mask_escapes_in("a token%3Dabc1 b", &mut rules.parameters(1)).into_owned();
    assert_eq!(masked, "a token%3D[MASKED] b");
}
