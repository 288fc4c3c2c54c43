//! Multipart forms: fields masked by key, files as what they are called and how large they are.

use std::borrow::Cow;

use memchr::memmem::{find, find_iter};

use crate::fit::as_budget;
use crate::keys::Place;
use crate::places::{is_blank, is_space, skip};
use crate::spelling::lower;
use crate::tree::{Fields, Nothing, Value, View};
use crate::urls::unquote;
use crate::walk::Walker;

/// No form has more parts; a body of nothing but boundaries has.
const PARTS_MAX: usize = 1000;
/// Of the header lines of one part, in bytes; servers refuse more.
const HEAD_MAX: usize = 8192;
/// A field over 64 KiB is described like a file: it is content, not something that was typed.
const FIELD_MAX: usize = 65_536;
/// Characters of a boundary; the standard allows 70.
const BOUNDARY_MAX: usize = 200;

type Form<'a> = Fields<'a, Nothing>;

/// Return the fields of a complete form as JSON; None if it cannot be taken apart.
pub fn mask_multipart(data: &[u8], content_type: &str, walker: &mut Walker<'_>) -> Option<String> {
    let delimiter = [b"\r\n--", boundary_in(content_type)?.as_bytes()].concat();
    // Every delimiter stands at the beginning of a line, the first one perhaps of the body.
    let begun = [b"\r\n", data].concat();
    let mut pieces = pieces_of(&begun, &delimiter)?;
    if !pieces.pop()?.starts_with(b"--") {
        return None;
    }
    let mut fields = Form::default();
    for piece in &pieces[1..] {
        let blank_line = find(piece, b"\r\n\r\n")?;
        add_part(
            &mut fields,
            &piece[..blank_line],
            &piece[blank_line + 4..],
            walker,
        );
    }
    let Ok(masked) = walker.walk(&View::Map(&fields), Place::Form);
    Some(masked)
}

/// Return what stands between the delimiters, if there are at least two of them and not too many.
fn pieces_of<'b>(body: &'b [u8], delimiter: &[u8]) -> Option<Vec<&'b [u8]>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for at in find_iter(body, delimiter) {
        pieces.push(&body[done..at]);
        done = at + delimiter.len();
        if pieces.len() == PARTS_MAX {
            return None;
        }
    }
    pieces.push(&body[done..]);
    (pieces.len() >= 3).then_some(pieces)
}

/// Return where `word` ends if it stands here, in any case.
fn word(text: &str, at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    let here = text.as_bytes().get(at..end)?;
    here.eq_ignore_ascii_case(word.as_bytes()).then_some(end)
}

fn boundary_in(content_type: &str) -> Option<&str> {
    let bytes = content_type.as_bytes();
    memchr::memchr_iter(b';', bytes).find_map(|semicolon| {
        let at = word(content_type, skip(bytes, semicolon + 1, is_space), "boundary=")?;
        let rest = &content_type[at..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let boundary = &quoted[..quoted.find('"')?];
            return (1..=BOUNDARY_MAX)
                .contains(&boundary.chars().count())
                .then_some(boundary);
        }
        let end = skip(rest.as_bytes(), 0, |sign| {
            !is_space(sign) && !matches!(sign, b';' | b'"')
        });
        let end = rest[..end]
            .char_indices()
            .nth(BOUNDARY_MAX)
            .map_or(end, |(cut, _)| cut);
        (end > 0).then(|| &rest[..end])
    })
}

fn add_part(fields: &mut Form<'_>, head: &[u8], content: &[u8], walker: &mut Walker<'_>) {
    let head = String::from_utf8_lossy(&head[..head.len().min(HEAD_MAX)]);
    let (mut disposition, mut content_type) = ("", "");
    for line in head.split("\r\n") {
        let (name, text) = line.split_once(':').unwrap_or((line, ""));
        let text = text.trim_matches(is_blank);
        match &*lower(name.trim_matches(is_blank)) {
            "content-disposition" => disposition = text,
            "content-type" => content_type = text,
            _ => {}
        }
    }
    let parameters = parameters_in(disposition);
    let file_name = parameters
        .iter()
        .find(|(is_file, _)| *is_file)
        .map(|(_, text)| text.clone());
    let text = if file_name.is_none() && content.len() <= FIELD_MAX {
        std::str::from_utf8(content)
            .ok()
            .filter(|text| !text.contains('\0'))
    } else {
        None
    };
    let value = text.map_or_else(
        || file(file_name.unwrap_or_default(), content_type, content.len()),
        |text| Value::Text(Cow::Owned(text.to_owned())),
    );
    let names: Vec<_> = parameters
        .into_iter()
        .filter(|(is_file, _)| !is_file)
        .map(|(_, text)| text)
        .collect();
    let secret = names
        .iter()
        .find(|name| walker.rules.is_secret(name, Place::Form));
    let name = secret.or(names.first()).cloned().unwrap_or_default();
    fields.add(Cow::Owned(name), value);
}

fn file(name: String, content_type: &str, size: usize) -> Value<'static, Nothing> {
    let mut file = Form::default();
    file.set("filename", Value::Text(Cow::Owned(name)));
    if !content_type.is_empty() {
        file.set("contentType", Value::Text(Cow::Owned(content_type.to_owned())));
    }
    file.set("size", Value::Int(as_budget(size)));
    Value::Map(file)
}

/// Return each `name` and `filename` of a header, decoded, and whether it is the latter.
fn parameters_in(text: &str) -> Vec<(bool, String)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut seen = 0;
    while let Some(offset) = memchr::memchr(b';', &bytes[seen..]) {
        seen += offset + 1;
        let at = skip(bytes, seen, is_space);
        let file = word(text, at, "filename");
        let Some(mut at) = file.or_else(|| word(text, at, "name")) else {
            continue;
        };
        let is_extended = bytes.get(at) == Some(&b'*');
        at += usize::from(is_extended);
        if bytes.get(at) != Some(&b'=') {
            continue;
        }
        at += 1;
        let (value, end) = quoted_value(text, at).unwrap_or_else(|| {
            let end = skip(bytes, at, |sign| !is_space(sign) && !matches!(sign, b';' | b'"'));
            (&text[at..end], end)
        });
        found.push((file.is_some(), decoded(value, is_extended)));
        seen = end;
    }
    found
}

/// Return what stands between the quotes that open at `at`, and where they end. A backslash takes the
/// next character along, but for the end of a line.
fn quoted_value(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut end = at + 1;
    loop {
        end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
        if bytes[end] == b'"' {
            return Some((&text[at + 1..end], end + 1));
        }
        if matches!(bytes.get(end + 1), None | Some(b'\n')) {
            return None;
        }
        end += 2;
    }
}

/// Undo the two ways to write a name: `%22` as browsers do, `utf-8''n%C3%A4me` as mail does.
fn decoded(text: &str, is_extended: bool) -> String {
    let text = if is_extended {
        text.rsplit('\'').next().unwrap_or(text)
    } else {
        text
    };
    if text.contains('%') {
        unquote(&text.replace('+', "%2B")).into_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{boundary_in, mask_multipart, parameters_in};
    use crate::policy::Policy;
    use crate::rules::UNBOUNDED;
    use crate::walk::Walker;

    fn masked(data: &str) -> Option<String> {
        let policy = Policy::default();
        let mut walker = Walker::new(&policy, UNBOUNDED);
        mask_multipart(data.as_bytes(), "multipart/form-data; boundary=x", &mut walker)
    }

    /// Fields are masked by key; a file is its name, its type and its size.
    #[test]
    fn fields_and_files() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n1\r\n\
                    --x\r\ncontent-disposition: form-data; name=f; filename=\"a.png\"\r\nContent-Type: image/png\
                    \r\n\r\nabc\r\n--x--\r\n";
        let form = r#"{"pin":"[MASKED]","f":{"filename":"a.png","contentType":"image/png","size":3}}"#;
        assert_eq!(masked(body).as_deref(), Some(form));
    }

    /// What is cut, has no blank line or too many parts is no form.
    #[test]
    fn no_form() {
        assert_eq!(masked("--x\r\na: b\r\n\r\nc\r\n--x"), None);
        assert_eq!(masked("--x\r\na: b\r\n--x--"), None);
        assert_eq!(masked("--x--"), None);
        assert_eq!(masked(&("--x\r\na: b\r\n\r\nc\r\n".repeat(1000) + "--x--")), None);
        assert_eq!(masked("--x\r\n\r\n\r\n--x--").as_deref(), Some(r#"{"":""}"#));
    }

    /// A name may stand in either spelling, with escapes and in any case.
    #[test]
    fn parameters() {
        let text = "form-data; NAME=\"a\\\"b%41+\"; filename*=utf-8''n%C3%A4me; name=\"; name=x;name";
        let found = parameters_in(text);
        let expected = [(false, "a\\\"bA+"), (true, "näme"), (false, ""), (false, "x")];
        assert_eq!(found, expected.map(|(is_file, text)| (is_file, text.to_owned())));
    }

    /// A boundary is the first that can be one.
    #[test]
    fn boundaries() {
        assert_eq!(boundary_in("a/b; boundary=\"\"; Boundary=\"a b\""), Some("a b"));
        assert_eq!(boundary_in("a/b;boundary=x y"), Some("x"));
        assert_eq!(
            boundary_in(&format!("a/b;boundary={}", "é".repeat(201))),
            Some(&*"é".repeat(200))
        );
        assert_eq!(
            boundary_in(&format!("a/b;boundary=\"{}\"", "é".repeat(201))),
            None
        );
        assert_eq!(boundary_in("a/b; boundary="), None);
    }
}
