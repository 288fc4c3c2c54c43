//! Bodies as they stood on the wire: decoded, masked by their content type, limited.

mod content;
mod prefix;
mod prepared;

use std::borrow::Cow;

use crate::fit::{as_size, preview_of, Limits};
use crate::forms::mask_form;
use crate::json::{quoted, NotJson};
use crate::marks::{dropped, omitted, truncated};
use crate::multipart::mask_multipart;
use crate::places::{is_blank, is_json_space};
use crate::scan::find_with;
use crate::spans::{apply, apply_into};
use crate::spelling::lower;
use crate::walk::Walker;
use content::{decoded, text_of, unescaped, Charset};
pub use prepared::{prepare, Prepared};

/// Of a body over the limit only so much is looked at (MASKING.md section 4).
const HELD_BYTES: usize = 16_384;
/// In bytes; nobody sends more blanks than that on purpose.
const SHORT: usize = 256;
/// In characters: a text of no declared type shows in its beginning whether it is one.
const READABLE_LENGTH: usize = 1024;

/// A body, or the beginning of one, as it stood on the wire.
#[derive(Debug, Clone, Copy)]
pub struct RawBody<'a> {
    /// What was kept of it.
    pub data: &'a [u8],
    /// The header `content-type`.
    pub content_type: Option<&'a str>,
    /// The header `content-encoding`.
    pub content_encoding: Option<&'a str>,
    /// The header `content-length`, or what was seen.
    pub total_bytes: i64,
    /// Whether it was read to its end.
    pub complete: bool,
}

/// What is known of a text: where it came from decides how it is read.
#[derive(Debug, Clone, Copy)]
struct Media<'a> {
    kind: &'a str,
    charset: Charset,
}

impl Media<'_> {
    fn is_json(self) -> bool {
        matches!(self.kind, "application/json" | "text/json") || self.kind.ends_with("+json")
    }

    fn is_lines(self) -> bool {
        matches!(
            self.kind,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines"
        )
    }

    fn is_form(self) -> bool {
        self.kind == "application/x-www-form-urlencoded"
    }

    fn is_multipart(self) -> bool {
        self.kind == "multipart/form-data"
    }

    /// Tell whether it is a text, by its type or, if it has none, by what is in it.
    fn is_text(self, data: &[u8]) -> bool {
        self.kind.starts_with("text/")
            || self.kind.ends_with("+xml")
            || matches!(
                self.kind,
                "application/xml"
                    | "application/graphql"
                    | "application/javascript"
                    | "application/x-javascript"
                    | "application/yaml"
                    | "application/x-yaml"
                    | "application/toml"
                    | "application/sql"
            )
            || (self.kind.is_empty() && is_readable(data))
    }
}

/// Write what the event keeps of a body, as JSON text; `null` if there was none.
///
/// JSON that came as JSON stays as it came, but for what is masked. `walker` counts that.
pub fn mask_body(body: &RawBody<'_>, walker: &mut Walker<'_>, limits: Limits) {
    let start = walker.out.len();
    if let Some(mark) = mask_unless_json(body, walker, limits) {
        walker.take_back(start);
        walker.out.extend_from_slice(mark.as_bytes());
    }
}

/// Return what is kept of a body; None if it was written as it came, as JSON.
fn mask_unless_json(body: &RawBody<'_>, walker: &mut Walker<'_>, limits: Limits) -> Option<String> {
    if body.data.is_empty() && body.total_bytes == 0 {
        return Some("null".to_owned());
    }
    let content_type = body.content_type.unwrap_or_default();
    let (kind, charset) = read_content_type(content_type);
    let seen = as_size(body.data.len()).max(u64::try_from(body.total_bytes).unwrap_or(0));
    let shown = walker.rules.text(&kind); // a sender may write anything there
    let not_shown = || omitted(Some(&shown), seen);
    let maximum = limits.max_payload_bytes;
    let (Some(content), Some(charset)) = (decoded(body, seen, maximum), charset) else {
        return Some(not_shown());
    };
    let media = Media { kind: &kind, charset };
    let data = &*content.data;
    if content.size_bytes > as_size(maximum) || content.size_is_lower_bound {
        let held = &data[..data.len().min(HELD_BYTES)];
        let Some(text) = prefix::mask_prefix(held, media, walker) else {
            return Some(not_shown());
        };
        let preview = preview_of(&text, maximum, |text| walker.rules.text(text).into_owned());
        let bound = content.size_is_lower_bound;
        return Some(truncated(
            content.size_bytes,
            as_size(maximum),
            Some(&preview),
            bound,
        ));
    }
    if !content.whole {
        // What is a text from now on must be stable as one.
        return Some(
            prefix::mask_prefix(data, media, walker)
                .map_or_else(not_shown, |text| quoted(&walker.rules.text(&text))),
        );
    }
    let start = walker.out.len();
    match mask_whole(data, media, content_type, walker) {
        Whole::Unknown => Some(not_shown()),
        Whole::Written if says_nothing(&walker.out[start..]) => Some("null".to_owned()),
        Whole::Written => None,
        Whole::Masked(masked) if says_nothing(masked.as_bytes()) => Some("null".to_owned()),
        Whole::Masked(masked) => Some(masked),
    }
}

/// What became of a complete body.
enum Whole {
    /// Its content is not known.
    Unknown,
    /// It was written as it came.
    Written,
    /// It is this JSON text.
    Masked(String),
}

/// Tell whether a short document is empty but for its blanks.
fn says_nothing(document: &[u8]) -> bool {
    if document.len() > 4 * SHORT {
        return false; // no character has more bytes
    }
    let document = std::str::from_utf8(document).unwrap_or_default();
    if document.len() > SHORT && document.chars().nth(SHORT).is_some() {
        return false;
    }
    let bare = trimmed(document);
    let inner = bare.get(1..bare.len().saturating_sub(1)).unwrap_or_default();
    matches!(bare, "null" | "\"\"") || (bare.starts_with(['{', '[']) && trimmed(inner).is_empty())
}

/// Return a text without the white space of JSON around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Return the media type in lower case and the charset, None for one that is not decoded.
fn read_content_type(value: &str) -> (Cow<'_, str>, Option<Charset>) {
    match lower(value) {
        Cow::Borrowed(value) => {
            let (kind, charset) = split_content_type(value);
            (Cow::Borrowed(kind), charset)
        }
        Cow::Owned(value) => {
            let (kind, charset) = split_content_type(&value);
            (Cow::Owned(kind.to_owned()), charset)
        }
    }
}

fn split_content_type(value: &str) -> (&str, Option<Charset>) {
    let mut parts = value.split(';');
    let kind = parts.next().unwrap_or_default().trim_matches(is_blank);
    let mut charset = "utf-8";
    for part in parts {
        let (name, text) = part.split_once('=').unwrap_or((part, ""));
        // Two fields that were joined have a comma between them.
        let text = text
            .split(',')
            .next()
            .unwrap_or_default()
            .trim_matches([' ', '\t', '"', '\'']);
        if name.trim_matches(is_blank) == "charset" && !text.is_empty() {
            charset = text;
        }
    }
    (kind, Charset::named(charset))
}

fn starts_like_json(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with(['{', '['])
}

/// Tell whether a body of no declared type is a text.
fn is_readable(data: &[u8]) -> bool {
    let is_sign = |sign: char| sign >= ' ' || matches!(sign, '\t' | '\r' | '\n');
    std::str::from_utf8(data).is_ok_and(|text| text.chars().take(READABLE_LENGTH).all(is_sign))
}

/// Return a complete body as JSON text; None if its content is not known.
fn mask_whole(data: &[u8], media: Media<'_>, content_type: &str, walker: &mut Walker<'_>) -> Whole {
    if media.is_multipart() {
        return mask_multipart(data, content_type, walker).map_or(Whole::Unknown, Whole::Masked);
    }
    let mut text = text_of(data, media.charset);
    // Binary, or UTF-16: a NUL in each character hides every name. No JSON holds one.
    let is_binary = |text: &str| memchr::memchr(0, text.as_bytes()).is_some();
    let looks_like_json = media.is_json() || starts_like_json(&text);
    if (media.is_lines() || !looks_like_json) && is_binary(&text) {
        return Whole::Unknown;
    }
    if media.is_lines() {
        return Whole::Masked(mask_lines(&text, walker));
    }
    if media.is_form() && !starts_like_json(&text) {
        return Whole::Masked(mask_form(&text, walker));
    }
    if looks_like_json {
        let Walker {
            rules, verdicts, out, ..
        } = walker;
        match find_with(&text, rules, verdicts, true) {
            Ok(spans) => {
                apply_into(out, &text, &spans);
                return Whole::Written;
            }
            Err(NotJson) if is_binary(&text) => return Whole::Unknown,
            Err(NotJson) if media.is_form() => return Whole::Masked(mask_form(&text, walker)),
            Err(NotJson) => text = Cow::Owned(unescaped(&text).into_owned()),
        }
    }
    if media.is_json() || media.is_text(data) {
        Whole::Masked(quoted(&walker.rules.text(&text)))
    } else {
        Whole::Unknown
    }
}

/// Return NDJSON as a list of documents; lines that are none are texts, neighbours together.
///
/// One document over several lines, as pretty printers write it, is a list of one. The list is masked
/// as a whole: lines such as `["password", "x"]` are pairs.
fn mask_lines(text: &str, walker: &mut Walker<'_>) -> String {
    let mut documents: Vec<Cow<'_, str>> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for line in text.split('\n').filter(|line| !is_empty(line)) {
        if is_json(line, walker) {
            documents.extend(joined(&others));
            others.clear();
            documents.push(Cow::Borrowed(line));
        } else {
            others.push(line);
        }
    }
    if !others.is_empty() && is_json(text, walker) {
        documents = vec![Cow::Borrowed(text)];
        others.clear();
    }
    documents.extend(joined(&others));
    let list = format!("[{}]", documents.join(","));
    // A list of documents is one; should it not be, nothing of it leaves.
    mask_json(&list, walker, true).map_or_else(|NotJson| dropped().to_owned(), Cow::into_owned)
}

fn is_empty(line: &str) -> bool {
    line.bytes().all(is_json_space)
}

fn joined(lines: &[&str]) -> Option<Cow<'static, str>> {
    (!lines.is_empty()).then(|| Cow::Owned(quoted(&unescaped(trimmed(&lines.join("\n"))))))
}

/// Tell whether some strict parser would take `text`.
fn is_json(text: &str, walker: &mut Walker<'_>) -> bool {
    let Walker { rules, verdicts, .. } = walker;
    rules
        .counted(|rules| find_with(text, rules, verdicts, true).is_ok())
        .0
}

/// Return one JSON document, or its beginning, masked.
fn mask_json<'t>(text: &'t str, walker: &mut Walker<'_>, complete: bool) -> Result<Cow<'t, str>, NotJson> {
    Ok(apply(
        text,
        &find_with(text, &mut walker.rules, &mut walker.verdicts, complete)?,
    ))
}

#[cfg(test)]
mod tests;
