//! Texts, documents and bodies made of the vectors by mutation: the laws hold, and nothing panics.
//!
//! Some seconds with a new seed each time; `FUZZ_SECONDS` and `FUZZ_SEED` choose. What fails is printed
//! with a seed that makes it the first input: `FUZZ_SEED=... cargo test --no-default-features --test fuzz`.

mod cases;
mod laws;
mod nodes;

use std::env;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use _native::bodies::RawBody;
use _native::event::{Content, Field};
use _native::fit::Limits;
use _native::policy::Policy;
use _native::rules::{Rules, UNBOUNDED};
use _native::spans::Span;
use serde_json::Value;

use cases::{policy_of, read, FILES};

const SECONDS: u64 = 3;
/// Characters; less are added by mutation anyway.
const LENGTH_MIN: usize = 8;
/// Characters; more would be masked by the same rules.
const LENGTH_MAX: usize = 600;
/// What some rule or some decoder looks for; `_` stands for a blank.
const SIGNS: &str = r#"
    = : " ' \ { } [ ] ( ) < > , ; & ? # @ % / - . | $ 0 1 9 e E null true 1e999 \u0000 \ud800 \ud83d\ude00
    \" \\ %3D %22 &quot; &lt; :// => ''' é 🙂 [MASKED] [MASK … password token pin name value loc input Bearer_
    Basic_ Cookie 4242424242424242 hunter2hunter2 -----BEGIN_PRIVATE_KEY----- -----END_PRIVATE_KEY----- eyJ
    AKIA <!-- <![CDATA[ "name":"password","value": ["password", {"loc":["password"],"input":
"#;
/// The same, of what shows in no list.
const UNSEEN: [&str; 12] = [
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "_",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{ad}",
    "\u{feff}",
    "\u{2028}",
    "sk_live_",
];
const CONTENT_TYPES: &[Option<&str>] = &[
    Some("application/json"),
    Some("application/x-ndjson"),
    Some("application/x-www-form-urlencoded"),
    Some("multipart/form-data; boundary=b"),
    Some("text/plain"),
    Some("text/html; charset=latin-1"),
    Some("application/octet-stream"),
    None,
];
const ENCODINGS: &[Option<&str>] = &[None, None, None, Some("gzip"), Some("deflate")];
const LIMITS: &[usize] = &[524_288, 524_288, 1, 20, 100, 1000];

/// Marsaglia's xorshift: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Return a number below `size`, or 0.
    fn below(&mut self, size: usize) -> usize {
        let number = self.next() >> 11;
        usize::try_from(number).unwrap_or(0) % size.max(1)
    }

    fn one_of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }

    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What inputs are made of.
struct Corpus {
    texts: Vec<String>,
    signs: Vec<String>,
    policies: Vec<Policy>,
}

impl Corpus {
    fn read() -> Self {
        let cases: Vec<Value> = FILES.iter().flat_map(|file| read(file)).collect();
        let mut texts = Vec::new();
        for case in &cases {
            for field in ["text", "url", "json", "prefix", "key", "value", "event"] {
                strings(&case[field], &mut texts);
            }
            if case.get("value").is_some() {
                texts.push(case["value"].to_string());
            }
        }
        texts.retain(|text| (LENGTH_MIN..=LENGTH_MAX).contains(&text.chars().count()));
        texts.sort_unstable();
        texts.dedup();
        let own = cases.iter().filter(|case| case.get("policy").is_some());
        let mut policies: Vec<_> = own.map(policy_of).collect();
        let usual = policies.len();
        policies.extend((0..usual).map(|_| Policy::default())); // every second one
        let seen = SIGNS.split_whitespace().map(|sign| sign.replace('_', " "));
        let signs = seen.chain(UNSEEN.map(str::to_owned)).collect();
        Self {
            texts,
            signs,
            policies,
        }
    }

    fn input(&self, chance: &mut Chance) -> String {
        let (one, other) = (chance.one_of(&self.texts), chance.one_of(&self.texts));
        // Most are short, and the rules meet in the longer ones.
        let mut text = if one.len() < other.len() { other } else { one }.clone();
        if chance.happens(40) {
            text = splice(chance, one, other);
        }
        if chance.happens(10) {
            text = serde_json::to_string(&text).expect("a text is JSON");
        }
        if chance.happens(10) {
            text = format!(
                "{{\"{}\":{text}}}",
                chance.one_of(&["a", "password", "pin", "value", "loc"])
            );
        }
        for _ in 0..chance.below(5) {
            text = self.mutated(chance, &text);
        }
        text.chars().take(LENGTH_MAX).collect()
    }

    /// Return a text with one place of it lost, doubled, added or changed.
    fn mutated(&self, chance: &mut Chance, text: &str) -> String {
        let signs: Vec<char> = text.chars().collect();
        let (one, two) = (chance.below(signs.len() + 1), chance.below(signs.len() + 1));
        let (start, end) = (one.min(two), one.max(two).min(one.min(two) + 30));
        let mut out: String = signs[..start].iter().collect();
        match chance.below(5) {
            0 => {}
            1 => out.extend(signs[start..end].iter().chain(&signs[start..end])),
            2 => {
                out.push_str(chance.one_of::<String>(&self.signs));
                out.extend(&signs[start..end]);
            }
            3 => out.push_str(chance.one_of::<String>(&self.signs)),
            _ => out.extend(signs[start..end].iter().rev()),
        }
        out.extend(&signs[end..]);
        out
    }
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(fields) => {
            for (key, item) in fields {
                out.push(key.clone());
                strings(item, out);
            }
        }
        _ => {}
    }
}

fn splice(chance: &mut Chance, one: &str, other: &str) -> String {
    let begin = one.chars().take(chance.below(one.chars().count() + 1));
    let end = other.chars().skip(chance.below(other.chars().count() + 1));
    begin.chain(end).collect()
}

/// Check all laws on the input that a seed names.
fn checked(corpus: &Corpus, chance: &mut Chance) -> (String, Result<(), String>) {
    let source = corpus.input(chance);
    let policy = chance.one_of(&corpus.policies);
    let mut data = source.clone().into_bytes();
    if chance.happens(30) && !data.is_empty() {
        let at = chance.below(data.len());
        data[at] = u8::try_from(chance.below(256)).unwrap_or(0);
    }
    let body = RawBody {
        data: &data[..data.len()
            - if chance.happens(20) {
                chance.below(data.len())
            } else {
                0
            }],
        content_type: *chance.one_of(CONTENT_TYPES),
        content_encoding: *chance.one_of(ENCODINGS),
        total_bytes: i64::try_from(data.len()).unwrap_or(0),
        complete: chance.happens(70),
    };
    let limits = Limits {
        max_payload_bytes: *chance.one_of(LIMITS),
    };
    let laws = || {
        laws::text(&source, policy)?;
        laws::url(&source, policy)?;
        laws::document(&source, policy)?;
        laws::prefix(&source, policy)?;
        laws::event(
            vec![Field::new("requestPayload", Content::Body(body))],
            policy,
            limits,
        )
    };
    let outcome = catch_unwind(AssertUnwindSafe(laws)).unwrap_or_else(|_| Err("a panic".to_owned()));
    (source, outcome)
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// For as long as it is given: no panic, and no law broken.
#[test]
fn the_laws_hold() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let first = number("FUZZ_SEED").unwrap_or(clock.as_secs() ^ u64::from(clock.subsec_nanos()) << 20);
    let corpus = Corpus::read();
    assert!(corpus.texts.len() > 500 && corpus.policies.len() > 100);
    let until = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(SECONDS));
    let mut chance = Chance(first.max(1)); // zero would stay zero
    let mut count = 0_u64;
    while count == 0 || Instant::now() < until {
        let seed = chance.0;
        let (source, outcome) = checked(&corpus, &mut Chance(seed));
        assert_eq!(outcome, Ok(()), "FUZZ_SEED={seed}, of seed {first}: {source:?}");
        chance.next();
        count += 1;
    }
    println!("{count} inputs of seed {first}");
}

/// A seed names one input, and among few inputs there are documents, and texts that are masked.
#[test]
fn inputs_are_what_they_should_be() {
    let corpus = Corpus::read();
    assert_eq!(corpus.input(&mut Chance(7)), corpus.input(&mut Chance(7)));
    let mut chance = Chance(7);
    let inputs: Vec<_> = (0..500).map(|_| corpus.input(&mut chance)).collect();
    let documents = inputs.iter().filter(|input| laws::strict(input).is_ok());
    let documents = documents.count();
    let policy = Policy::default();
    let masked = inputs
        .iter()
        .filter(|input| Rules::new(&policy, UNBOUNDED, 0).text(input) != input.as_str());
    let masked = masked.count();
    assert!(
        documents > 30 && masked > 100,
        "{documents} documents, {masked} masked"
    );
}

/// Spans out of order, numbers that no parser takes and other values are seen.
#[test]
fn what_is_wrong_is_seen() {
    let spans = |first: (usize, usize), second: (usize, usize)| {
        [first, second].map(|(start, end)| Span::new(start, end, "x", 1))
    };
    assert_eq!(laws::in_order(&spans((0, 1), (1, 3)), "aé"), Ok(()));
    for (first, second) in [
        ((1, 3), (0, 1)),
        ((0, 3), (1, 3)),
        ((0, 2), (2, 3)),
        ((1, 0), (1, 3)),
    ] {
        assert!(laws::in_order(&spans(first, second), "aé").is_err());
    }
    for text in [
        "1e999",
        "[1,]",
        "NaN",
        "\"\u{1}\"",
        "{\"a\":[-1e400]}",
        "\"\\ud800\"",
    ] {
        assert!(laws::strict(text).is_err(), "{text}");
    }
    let same = |one, other| laws::is_same(&laws::strict(one).unwrap(), &laws::strict(other).unwrap());
    assert!(same(
        "[1.50, -0, {\"a\": 1, \"b\": 2}]",
        "[1.5,0,{\"b\":2,\"a\":1}]"
    ));
    for (one, other) in [
        ("1", "2"),
        ("[1]", "[1,1]"),
        ("{\"a\":1}", "{\"b\":1}"),
        ("\"1\"", "1"),
        ("null", "false"),
    ] {
        assert!(!same(one, other), "{one} {other}");
    }
}
