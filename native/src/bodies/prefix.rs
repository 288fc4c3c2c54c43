//! The beginning of a body that was cut: a text that ends where what is certain ends.

use super::content::{text_of, unescaped, Charset};
use super::{is_empty, is_json, mask_json, starts_like_json, Media};
use crate::forms::mask_cut_form;
use crate::json::NotJson;
use crate::scan::find_with;
use crate::spans::{apply, outermost, Span};
use crate::walk::Walker;

/// Return the masked text of a body that was cut; None if it is no text.
pub(super) fn mask_prefix(data: &[u8], media: Media<'_>, walker: &mut Walker<'_>) -> Option<String> {
    if media.is_multipart() {
        return None;
    }
    // The character that the cut went through is left out.
    let shown = if media.charset == Charset::Utf8 {
        without_half_character(data)
    } else {
        data
    };
    let text = &*text_of(shown, media.charset);
    if text.contains('\0') {
        return None;
    }
    // `curl -d` calls JSON a form.
    let is_form = media.is_form() && !starts_like_json(text);
    if is_form && text.contains('=') {
        return Some(mask_cut_form(text, walker));
    }
    if media.is_lines() {
        return Some(mask_cut_lines(text, walker));
    }
    if media.is_json() || starts_like_json(text) {
        return Some(mask_prefix_of_json(text, walker));
    }
    (is_form || media.is_text(data)).then(|| walker.rules.cut(text))
}

fn without_half_character(data: &[u8]) -> &[u8] {
    for (back, &lead) in data.iter().rev().take(3).enumerate() {
        if lead >= 0xC0 {
            // The first byte of a character; it is cut if it announces more than follow.
            let needed = match lead {
                0xC0..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            return if needed > back + 1 {
                &data[..data.len() - back - 1]
            } else {
                data
            };
        }
        if lead < 0x80 {
            break;
        }
    }
    data
}

/// Return the beginning of NDJSON as text; unless each line is a document, all of it is one.
fn mask_cut_lines(text: &str, walker: &mut Walker<'_>) -> String {
    let (complete, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let lines: Vec<_> = complete.split('\n').filter(|line| !is_empty(line)).collect();
    if !lines.iter().all(|line| is_json(line, walker)) {
        return mask_prefix_of_json(text, walker);
    }
    if let Ok(masked) = mask_json_lines(&lines, Some(last), walker) {
        return masked;
    }
    let mut masked = mask_json_lines(&lines, None, walker).unwrap_or_default();
    if !masked.is_empty() {
        masked.push('\n');
    }
    masked + &walker.rules.cut(&unescaped(last))
}

/// Return JSON documents, one a line, and the beginning of another, masked as the list that they are.
/// Without a beginning nothing stands for it, not even `…`.
fn mask_json_lines(lines: &[&str], last: Option<&str>, walker: &mut Walker<'_>) -> Result<String, NotJson> {
    // What makes a list of them is taken out again.
    let mut text = String::from("[");
    let mut marks = vec![Span::new(0, 1, "", 0)];
    for (at, part) in lines.iter().copied().chain(last).enumerate() {
        if at > 0 {
            marks.push(Span::new(text.len(), text.len() + 1, "", 0));
            text.push_str(",\n");
        }
        text.push_str(part);
    }
    let is_cut = last.is_some();
    if !is_cut {
        marks.push(Span::new(text.len(), text.len() + 1, "", 0));
        text.push(']');
    }
    let mut spans = find_with(&text, &mut walker.rules, &mut walker.verdicts, !is_cut)?;
    spans.append(&mut marks);
    Ok(apply(&text, &outermost(spans)).into_owned())
}

/// Return the beginning of a JSON document as text: what stood complete, then `…`.
fn mask_prefix_of_json(text: &str, walker: &mut Walker<'_>) -> String {
    match mask_json(text, walker, false) {
        Ok(masked) => masked.into_owned(),
        Err(_) => walker.rules.cut(&unescaped(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::without_half_character;

    /// Only a character of which something is missing goes.
    #[test]
    fn half_characters_go() {
        for (data, kept) in [
            (&b"a\xc3"[..], &b"a"[..]),
            (b"a\xc3\xa9", b"a\xc3\xa9"),
            (b"\xf0\x9f\x99", b""),
            (b"\xf0\x9f\x99\x82", b"\xf0\x9f\x99\x82"),
            (b"\xe2\x82", b""),
            (b"a\x82\x82\x82\x82", b"a\x82\x82\x82\x82"),
            (b"", b""),
        ] {
            assert_eq!(without_half_character(data), kept);
        }
    }
}
