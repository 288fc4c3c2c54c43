//! Secrets in XML and HTML: `<password>x</password>`, `<input name="csrf_token" value="x">`.
//!
//! Markup that another document quotes (`&lt;password&gt;x&lt;/password&gt;`) is markup too.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem::find;
use memchr::{memchr, memrchr};

use crate::keys::{Verdict, MASK, SAFE, WALK};
use crate::marks::{CUT, MASKED};
use crate::places::{is_blank, is_quote, skip, then, Patches};
use crate::rules::Rules;

mod attributes;

use attributes::{next_holding, next_naming};

/// Elements of HTML without content.
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "param", "source"];

/// How tags begin: plainly, or in markup that is quoted.
const SIGNS: [&str; 2] = ["<", "&lt;"];

/// One tag. `name` and `attributes` are parts of the text.
struct Tag<'t> {
    start: usize,
    end: usize,
    closes: bool,
    name: &'t str,
    attributes: &'t str,
    /// Where the attributes begin.
    begin: usize,
}

/// Mask the content of elements, and the `value` of tags, that are named like a secret.
///
/// Attributes such as `password="x"` are assignments and not treated here.
pub(crate) fn mask_markup<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let mut masked = Cow::Borrowed(text);
    for sign in SIGNS {
        masked = then(masked, |text| mask_tags(text, rules, sign));
    }
    masked
}

fn mask_tags<'t>(text: &'t str, rules: &mut Rules<'_>, sign: &str) -> Cow<'t, str> {
    let tags = tags_of(text, sign);
    if tags.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut patches = Patches::new(text);
    // The last one of each name.
    let closings: HashMap<_, _> = tags
        .iter()
        .filter(|tag| tag.closes)
        .map(|tag| (tag.name, tag.start))
        .collect();
    for (at, tag) in tags.iter().enumerate() {
        if tag.start < patches.done() || tag.closes {
            continue;
        }
        let mut verdict = rules.judge_name(tag.name, false);
        let by_name = verdict == MASK;
        if memchr(b'=', tag.attributes.as_bytes()).is_some() {
            let (named, held) = judge_attributes(tag.attributes, rules);
            verdict = if verdict == SAFE { named } else { verdict };
            if held != tag.attributes {
                patches.replace(tag.begin, tag.begin + tag.attributes.len(), &held);
            }
        }
        let is_void = VOID.iter().any(|name| tag.name.eq_ignore_ascii_case(name));
        if verdict == SAFE || tag.attributes.ends_with('/') || is_void {
            continue;
        }
        let to_end = by_name || text.ends_with(CUT);
        let end = if verdict == WALK {
            walked_end(text, tag, sign)
        } else {
            None
        };
        let end = end.unwrap_or_else(|| content_end(text, &tags, at, &closings, sign, to_end));
        let content = &text[tag.end..end];
        if !content.trim_matches(is_blank).is_empty() && content != MASKED && content != CUT {
            rules.masked += 1;
            patches.replace(tag.end, end, MASKED);
        }
    }
    patches.finish()
}

/// Return all tags that begin with `sign`, in order.
fn tags_of<'t>(text: &'t str, sign: &str) -> Vec<Tag<'t>> {
    let bytes = text.as_bytes();
    let mut tags = Vec::new();
    if memchr(sign.as_bytes()[0], bytes).is_none() {
        return tags;
    }
    let mut at = 0;
    while let Some(offset) = find(&bytes[at..], sign.as_bytes()) {
        let start = at + offset;
        at = start + sign.len();
        if let Some(tag) = tag_at(text, start, sign) {
            at = tag.end;
            tags.push(tag);
        }
    }
    tags
}

fn tag_at<'t>(text: &'t str, start: usize, sign: &str) -> Option<Tag<'t>> {
    let bytes = text.as_bytes();
    let closes = bytes.get(start + sign.len()) == Some(&b'/');
    let name = start + sign.len() + usize::from(closes);
    if !bytes
        .get(name)
        .is_some_and(|&first| first.is_ascii_alphabetic() || first == b'_')
    {
        return None;
    }
    let is_sign = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b':' | b'.' | b'-');
    let begin = skip(bytes, name, is_sign);
    let (closing, mut stop) = (if sign == "<" { ">" } else { "&gt;" }, begin);
    loop {
        stop = skip(bytes, stop, |sign| !matches!(sign, b'<' | b'>' | b'&'));
        let rest = &bytes[stop..];
        if !rest.starts_with(b"&")
            || (sign != "<" && (rest.starts_with(b"&lt;") || rest.starts_with(b"&gt;")))
        {
            break;
        }
        stop += 1;
    }
    let rest = &text[stop..];
    if !rest.is_empty() && !rest.starts_with(closing) {
        return None;
    }
    // The end of the text ends a tag too: it may have been cut.
    let end = text.len().min(stop + closing.len());
    Some(Tag {
        start,
        end,
        closes,
        name: &text[name..begin],
        attributes: &text[begin..stop],
        begin,
    })
}

/// Return the verdict on the element that `attributes` name, and the attributes, masked.
fn judge_attributes<'t>(attributes: &'t str, rules: &mut Rules<'_>) -> (Verdict, Cow<'t, str>) {
    let (mut content, mut value) = (SAFE, SAFE);
    let mut at = 0;
    while let Some((keyword, start, end)) = next_naming(attributes, at) {
        at = end + 1;
        let verdict = rules.judge_name(&attributes[start..end], false);
        value = if value == SAFE { verdict } else { value };
        // The id or the type of a page's element says nothing about what is in it, only about its value.
        if content == SAFE && !matches!(keyword, "id" | "type") {
            content = verdict;
        }
    }
    if value == SAFE {
        return (SAFE, Cow::Borrowed(attributes));
    }
    (content, mask_holding(attributes, rules))
}

fn mask_holding<'t>(attributes: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let mut patches = Patches::new(attributes);
    let mut at = 0;
    while let Some((start, end)) = next_holding(attributes, at) {
        at = end;
        let held = attributes[start..end].trim_matches(['"', '\'']);
        if held.is_empty() || held == MASKED {
            continue;
        }
        rules.masked += 1;
        let quotes = usize::from(is_quote(attributes.as_bytes()[start]));
        patches.replace(start + quotes, end - quotes, MASKED);
    }
    patches.finish()
}

/// Mask what the tag holds in which a text was cut, unless its name stands there already.
pub(crate) fn mask_open_tag<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let Some(start) = memrchr(b'<', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let attributes = &text[start..];
    if attributes.contains('>') || is_named(attributes) {
        return Cow::Borrowed(text);
    }
    match mask_holding(attributes, rules) {
        Cow::Owned(masked) => Cow::Owned(format!("{}{masked}", &text[..start])),
        Cow::Borrowed(_) => Cow::Borrowed(text),
    }
}

/// Tell whether a name stands in the attributes; a type alone is none.
fn is_named(attributes: &str) -> bool {
    let mut at = 0;
    while let Some((keyword, _, end)) = next_naming(attributes, at) {
        if keyword != "type" {
            return true;
        }
        at = end + 1;
    }
    false
}

/// Return where the content of an element that is walked ends: of one with elements, nothing is masked
/// as their own names decide.
fn walked_end(text: &str, tag: &Tag<'_>, sign: &str) -> Option<usize> {
    let following = next_sign(text, tag.end, sign);
    let closing = text[following..]
        .strip_prefix(sign)
        .and_then(|rest| rest.strip_prefix('/'));
    if closing.is_some_and(|rest| rest.starts_with(tag.name)) {
        return None;
    }
    let is_text = !text[tag.end..following].trim_matches(is_blank).is_empty();
    Some(if is_text || following == text.len() {
        following
    } else {
        tag.end
    })
}

fn next_sign(text: &str, at: usize, sign: &str) -> usize {
    find(&text.as_bytes()[at..], sign.as_bytes()).map_or(text.len(), |offset| at + offset)
}

/// Return where the content of tag number `at` ends, as far as it is to be masked.
///
/// An element that never closes ends at the next tag, or with the text.
fn content_end(
    text: &str,
    tags: &[Tag<'_>],
    at: usize,
    closings: &HashMap<&str, usize>,
    sign: &str,
    to_end: bool,
) -> usize {
    let tag = &tags[at];
    let Some(&last) = closings.get(tag.name).filter(|&&last| last >= tag.end) else {
        return if to_end {
            text.len()
        } else {
            next_sign(text, tag.end, sign)
        };
    };
    let mut depth = 1_usize;
    for other in tags[at + 1..].iter().filter(|other| other.name == tag.name) {
        if other.closes {
            depth -= 1;
        } else if !other.attributes.ends_with('/') {
            depth += 1;
        }
        if depth == 0 {
            return other.start;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::{mask_markup, mask_open_tag};
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};

    fn masked(text: &str) -> String {
        mask_markup(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    /// The content of an element is masked by its name, up to where that element closes.
    #[test]
    fn elements_are_masked_by_their_name() {
        assert_eq!(
            masked("<password>x</password><a>b</a>"),
            "<password>[MASKED]</password><a>b</a>"
        );
        assert_eq!(masked("<password>x<b>y"), "<password>[MASKED]");
        assert_eq!(
            masked("<token>a<token>b</token>c</token>d"),
            "<token>[MASKED]</token>d"
        );
        assert_eq!(
            masked("&lt;password&gt;x&lt;/password&gt;"),
            "&lt;password&gt;[MASKED]&lt;/password&gt;"
        );
        assert_eq!(masked("<password/>x"), "<password/>x");
        assert_eq!(
            masked("<input name='pin' value='x'"),
            "<input name='pin' value='[MASKED]'"
        );
    }

    /// An element that is walked is masked only where it holds text.
    #[test]
    fn walked_elements_keep_their_elements() {
        assert_eq!(
            masked("<auth><user>a</user></auth>"),
            "<auth><user>a</user></auth>"
        );
        assert_eq!(masked("<auth>x</auth>"), "<auth>[MASKED]</auth>");
    }

    /// A tag that names a secret in an attribute holds it in another one, or in its content.
    #[test]
    fn attributes_name_what_a_tag_holds() {
        assert_eq!(
            masked("<input name=\"csrf_token\" value=\"x\">"),
            "<input name=\"csrf_token\" value=\"[MASKED]\">"
        );
        assert_eq!(
            masked("<p KEY = 'password'>x</p>"),
            "<p KEY = 'password'>[MASKED]</p>"
        );
        assert_eq!(
            masked("<p id='password' content=x>y</p>"),
            "<p id='password' content=[MASKED]>y</p>"
        );
        assert_eq!(
            masked("<input type='password' value=x>y</input>"),
            "<input type='password' value=[MASKED]>y</input>"
        );
    }

    /// Where a text was cut, the name of what an open tag holds may be gone.
    #[test]
    fn open_tags_are_masked() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        assert_eq!(
            mask_open_tag("<a> <input value='x' ", &mut rules),
            "<a> <input value='[MASKED]' "
        );
        assert_eq!(
            mask_open_tag("<input id=\"a\" value='x' ", &mut rules),
            "<input id=\"a\" value='x' "
        );
        assert_eq!(
            mask_open_tag("<input type='text' value='x' ", &mut rules),
            "<input type='text' value='[MASKED]' "
        );
        assert_eq!(mask_open_tag("<a value='x'> ", &mut rules), "<a value='x'> ");
    }
}
