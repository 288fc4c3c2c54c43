//! Webhooks whose path is the credential: whoever knows it may write into the channel.

use std::borrow::Cow;

use memchr::memmem::find;

use crate::marks::MASKED;
use crate::places::skip;
use crate::rules::Parameters;

/// Mask what follows the fixed part of a webhook's path.
pub(super) fn mask_hook<'t>(path: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let bytes = path.as_bytes();
    let mut at = 0;
    while let Some(offset) = find(&bytes[at..], b"://") {
        at += offset + 3;
        let Some(end) = hook_end(bytes, at) else { continue };
        if matches!(&path[end..], "" | MASKED) {
            break;
        }
        rules.add(1);
        return Cow::Owned(format!("{}{MASKED}", &path[..end]));
    }
    Cow::Borrowed(path)
}

/// Return where the fixed part of a webhook's URL ends, whose authority begins at `at`.
fn hook_end(bytes: &[u8], at: usize) -> Option<usize> {
    let host = skip(bytes, at, |sign| !matches!(sign, b'/' | b'@'));
    let behind_user = if bytes.get(host) == Some(&b'@') {
        hook_at(bytes, host + 1)
    } else {
        None
    };
    behind_user.or_else(|| hook_at(bytes, at))
}

fn hook_at(bytes: &[u8], at: usize) -> Option<usize> {
    slack(bytes, at)
        .or_else(|| discord(bytes, at))
        .or_else(|| office(bytes, at))
}

/// Return where `word` ends if it stands here, in any case.
fn word(bytes: &[u8], at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    bytes
        .get(at..end)
        .is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        .then_some(end)
}

fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    let end = skip(bytes, at, |sign| sign.is_ascii_digit());
    (end > at).then_some(end)
}

fn slack(bytes: &[u8], at: usize) -> Option<usize> {
    let host = word(bytes, at, "hooks.slack.com")?;
    let port = word(bytes, host, ":")
        .and_then(|at| digits(bytes, at))
        .unwrap_or(host);
    ["/services/", "/workflows/", "/triggers/"]
        .iter()
        .find_map(|path| word(bytes, port, path))
}

fn discord(bytes: &[u8], at: usize) -> Option<usize> {
    let label = skip(bytes, at, |sign| sign.is_ascii_alphabetic());
    let behind_label = if label > at { word(bytes, label, ".") } else { None };
    behind_label
        .and_then(|at| discord_host(bytes, at))
        .or_else(|| discord_host(bytes, at))
}

fn discord_host(bytes: &[u8], at: usize) -> Option<usize> {
    let host = ["discordapp.com", "discord.com"]
        .iter()
        .find_map(|host| word(bytes, at, host))?;
    let path = word(bytes, host, "/api/")?;
    let version = word(bytes, path, "v")
        .and_then(|at| digits(bytes, at))
        .and_then(|at| word(bytes, at, "/"));
    let hooks = word(bytes, version.unwrap_or(path), "webhooks/")?;
    word(bytes, digits(bytes, hooks)?, "/")
}

fn office(bytes: &[u8], at: usize) -> Option<usize> {
    let label = skip(bytes, at, |sign| sign.is_ascii_alphanumeric() || sign == b'-');
    (label > at)
        .then(|| word(bytes, label, ".webhook.office.com/webhookb2/"))
        .flatten()
}
