//! URL-encoded forms: an object of fields, or the masked text of a form that was cut.

use crate::json::quoted;
use crate::keys::Place;
use crate::marks::CUT;
use crate::tree::{Fields, Nothing, Value, View};
use crate::urls::{mask_parameters, unquote};
use crate::walk::Walker;

/// Return the fields as JSON, masked by key; a field that comes several times is a list.
///
/// Without any `=` it is no form but a text.
pub fn mask_form(text: &str, walker: &mut Walker<'_>) -> String {
    if !text.contains('=') {
        return quoted(&walker.rules.text(text));
    }
    let mut fields = Fields::<Nothing>::default();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        fields.add(unquote(name), Value::Text(unquote(value)));
    }
    let Ok(masked) = walker.walk(&View::Map(&fields), Place::Form);
    masked
}

/// Return the beginning of a form as text: fields masked by key, the last one unfinished.
pub fn mask_cut_form(text: &str, walker: &mut Walker<'_>) -> String {
    let last = text.rfind('&').map_or(0, |ampersand| ampersand + 1);
    let kept = text[last..].find('=').map_or(last, |equals| last + equals + 1);
    let masked = mask_parameters(&text[..kept], &mut walker.rules.form_parameters());
    format!("{masked}{CUT}")
}

#[cfg(test)]
mod tests {
    use super::{mask_cut_form, mask_form};
    use crate::policy::Policy;
    use crate::rules::UNBOUNDED;
    use crate::walk::Walker;

    /// Names are decoded before they are matched, repeated fields are lists, a text stays a text.
    #[test]
    fn forms_are_masked_by_key() {
        let policy = Policy::default();
        let mut walker = Walker::new(&policy, UNBOUNDED);
        let masked = mask_form("a=1&&p%61ssword=x&a=b+c&d", &mut walker);
        assert_eq!(masked, r#"{"a":["1","b c"],"password":"[MASKED]","d":""}"#);
        assert_eq!(mask_form("a+b", &mut walker), r#""a+b""#);
        assert_eq!(walker.rules.masked, 1);
    }

    /// Of the last field of a cut form only the name is certain.
    #[test]
    fn cut_forms_end_in_an_ellipsis() {
        let policy = Policy::default();
        let mut walker = Walker::new(&policy, UNBOUNDED);
        assert_eq!(
            mask_cut_form("pin=1&a=x&b=abc", &mut walker),
            "pin=[MASKED]&a=x&b=…"
        );
        assert_eq!(mask_cut_form("a=x&bc", &mut walker), "a=x&…");
        assert_eq!(mask_cut_form("abc=d", &mut walker), "abc=…");
    }
}
