//! That no way of looking finds less than another, and that what passes the screen passes the rules.

use super::{portable, screen, Screen};
use crate::policy::Policy;
use crate::rules::{Rules, UNBOUNDED};
use crate::text::{look, Seen};

/// What secrets are made of, and what stands around them.
const PIECES: [&str; 66] = [
    "password",
    "pin",
    "token",
    "Bearer",
    "basic",
    "api_key",
    "curl",
    "-u",
    "--",
    "-----BEGIN",
    "PRIVATE KEY-----",
    "sk-",
    "sk_live_",
    "rk_test_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "npm_",
    "pypi-",
    "AKIA",
    "ASIA",
    "AIza",
    "SK",
    "SG.",
    "eyJ",
    "eyJhbGciOi",
    ".",
    ":",
    "=",
    "<",
    ">",
    "&lt;",
    "%41",
    "%",
    "(b'",
    "('",
    "[\"",
    " '",
    " \"",
    "\"",
    "'",
    "\\",
    "/",
    "//",
    "://",
    "@",
    "+",
    "4242424242424242",
    "4242 4242 4242",
    "12",
    "7-",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u{b}",
    "é",
    "田",
    "a",
    "order",
    "2026-01-02T03:04:05Z",
    "{",
    "}",
    "0",
];

/// A generator of the same numbers in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.below(9) {
            match self.below(8) {
                0 => text.push_str(&"abc".repeat(self.below(30))),
                1 => text.push(char::from(u8::try_from(self.below(128)).unwrap_or(0))),
                2 => text.push_str(&PIECES[self.below(PIECES.len())].to_ascii_uppercase()),
                _ => text.push_str(PIECES[self.below(PIECES.len())]),
            }
        }
        text
    }
}

/// What the screen lets pass has nothing in it that calls for a rule.
#[test]
fn nothing_that_a_rule_looks_for_passes() {
    let policy = Policy::default();
    let rules = Rules::new(&policy, UNBOUNDED, 0);
    let mut chance = Chance(7);
    let mut passed = 0;
    for _ in 0..200_000 {
        let text = chance.text();
        let seen = screen(text.as_bytes());
        // As if every gram was found: nothing is left out for the screen's sake.
        let everything = Screen {
            grams: u8::MAX,
            ..portable(text.as_bytes())
        };
        let found = look(&text, everything, &rules);
        assert_eq!(look(&text, seen, &rules), found, "{text:?}");
        if seen.is_clean(text.as_bytes()) {
            passed += 1;
            assert_eq!(found, Seen::default(), "{text:?}");
        }
    }
    assert!(passed > 10_000, "most texts that are looked at must be clean");
}

/// Both ways find the same signs; of grams the fast one may find more.
#[test]
fn the_fast_way_finds_no_less() {
    let mut chance = Chance(11);
    for _ in 0..100_000 {
        let text = chance.text();
        let (fast, slow) = (screen(text.as_bytes()), portable(text.as_bytes()));
        assert_eq!(fast.grams & slow.grams, slow.grams, "{text:?}");
        assert_eq!(
            Screen { grams: 0, ..fast },
            Screen { grams: 0, ..slow },
            "{text:?}"
        );
    }
}

/// Wherever a gram stands, also across the border of two blocks, it is found.
#[test]
fn grams_are_found_at_every_place() {
    for gram in ["ken ", "--", " '", "ghp_", "st_", "SK"] {
        for size in gram.len()..140 {
            for at in 0..=size - gram.len() {
                let text = format!("{}{gram}{}", "x".repeat(at), "x".repeat(size - at - gram.len()));
                assert_ne!(screen(text.as_bytes()).grams, 0, "{text}");
                assert_ne!(portable(text.as_bytes()).grams, 0, "{text}");
            }
        }
    }
}

/// Each sign is told, in texts of every length, and each digit counts once.
#[test]
fn signs_are_told_at_every_place() {
    for size in 0..140 {
        let plain = "x".repeat(size);
        assert_eq!(screen(plain.as_bytes()), Screen::default(), "{size}");
        let digits = screen("5".repeat(size).as_bytes());
        assert_eq!(usize::from(digits.digits), size);
        for at in 0..size {
            for (sign, bit) in [
                (":", 1),
                ("%", 2),
                ("&", 4),
                ("J", 8),
                ("\u{1f}", 16),
                ("\"", 32),
                ("\\", 64),
            ] {
                let text = format!("{}{sign}{}", &plain[..at], &plain[at + 1..]);
                assert_eq!(screen(text.as_bytes()).signs, bit, "{sign} at {at} of {size}");
            }
        }
    }
}
