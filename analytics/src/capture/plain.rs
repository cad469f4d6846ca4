//! The plain case of a body, which is nearly every one there is: found in one go, eight bytes at a time.
//!
//! The parser goes through each byte of each text by itself, and a batch goes through it three times over: for its events,
//! for the fields of each, and for each field's value. Whatever is taken here it would take as well, with the same outcome;
//! what is not plain (an escape, an exponent, deep nesting) and whatever is wrong is left to it, and so are all its words.

use crate::text::end_of_plain;

/// How deep a plain value may be nested.
const DEPTH_MAX: usize = 4;

/// The members of an object: each key with the text of its value.
pub(super) type Members<'a> = Vec<(&'a str, &'a str)>;

/// The members of an object and nothing behind it.
pub(super) fn members(text: &str) -> Option<Members<'_>> {
    whole(text, Plain::members)
}

/// The members of each object of an array, if there are at most so many.
pub(super) fn objects(text: &str, most: usize) -> Option<Vec<Members<'_>>> {
    whole(text, |plain| plain.objects(most))
}

/// The objects under `events`, and what stands beside them under `sent_at`; or the object itself, which has no events.
pub(super) fn envelope(text: &str, most: usize) -> Option<(Vec<Members<'_>>, Option<&str>)> {
    whole(text, |plain| {
        let (mut events, mut members) = (None, Members::new());
        plain.object(&mut |plain, key| {
            if key == "events" {
                // Twice is an error.
                return events.replace(plain.objects(most)?).is_none().then_some(());
            }
            members.push((key, plain.value(DEPTH_MAX)?));
            Some(())
        })?;
        let Some(events) = events else { return Some((vec![members], None)) };
        let mut sent = members.iter().filter(|(key, _)| *key == "sent_at").map(|(_, json)| *json);
        let first = sent.next();
        sent.next().is_none().then_some((events, first))
    })
}

fn whole<'a, T>(text: &'a str, read: impl FnOnce(&mut Plain<'a>) -> Option<T>) -> Option<T> {
    let mut plain = Plain { text, at: 0 };
    let read = read(&mut plain)?;
    plain.blank();
    (plain.at == text.len()).then_some(read)
}

struct Plain<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Plain<'a> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.next() {
            self.at += 1;
        }
    }

    /// Goes on behind a sign and what is blank around it.
    fn sign(&mut self, sign: u8) -> Option<()> {
        self.blank();
        (self.next()? == sign).then(|| self.at += 1)?;
        self.blank();
        Some(())
    }

    /// Whether there is more behind an element: a comma, or the sign of the end.
    fn more(&mut self, end: u8) -> Option<bool> {
        self.blank();
        let next = self.next()?;
        self.at += 1;
        match next {
            b',' => {
                self.blank();
                Some(true)
            }
            _ => (next == end).then_some(false),
        }
    }

    fn members(&mut self) -> Option<Members<'a>> {
        let mut members = Members::with_capacity(8);
        self.object(&mut |plain, key| {
            members.push((key, plain.value(DEPTH_MAX)?));
            Some(())
        })?;
        Some(members)
    }

    fn objects(&mut self, most: usize) -> Option<Vec<Members<'a>>> {
        let mut objects = Vec::new();
        self.array(&mut |plain| {
            objects.push(plain.members()?);
            (objects.len() <= most).then_some(())
        })?;
        Some(objects)
    }

    /// An object, of which `each` reads the value of a key.
    fn object(&mut self, each: &mut dyn FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.sign(b'{')?;
        if self.next()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.sign(b':')?;
            each(self, key)?;
            if !self.more(b'}')? {
                return Some(());
            }
        }
    }

    /// An array, of which `each` reads an element.
    fn array(&mut self, each: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.sign(b'[')?;
        if self.next()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            each(self)?;
            if !self.more(b']')? {
                return Some(());
            }
        }
    }

    /// The text of a value.
    fn value(&mut self, depth: usize) -> Option<&'a str> {
        let begin = self.at;
        match self.next()? {
            b'"' => drop(self.string()?),
            b'{' => {
                let depth = depth.checked_sub(1)?;
                self.object(&mut |plain, _| plain.value(depth).map(drop))?;
            }
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.array(&mut |plain| plain.value(depth).map(drop))?;
            }
            b'-' | b'0'..=b'9' => self.number()?,
            _ => {
                let rest = self.text.get(self.at..)?;
                let word = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word))?;
                self.at += word.len();
            }
        }
        self.text.get(begin..self.at)
    }

    /// What stands between two quotes.
    fn string(&mut self) -> Option<&'a str> {
        let begin = self.at + 1;
        (self.next()? == b'"').then_some(())?;
        let end = begin + end_of_plain(self.text.as_bytes().get(begin..)?)?;
        self.at = end;
        (self.next()? == b'"').then(|| self.at += 1)?;
        self.text.get(begin..end)
    }

    fn number(&mut self) -> Option<()> {
        if self.next() == Some(b'-') {
            self.at += 1;
        }
        let first = self.next();
        let digits = self.digits();
        // No number begins with a zero but what is less than one.
        if digits == 0 || first == Some(b'0') && digits > 1 {
            return None;
        }
        if self.next() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        (!matches!(self.next(), Some(b'e' | b'E'))).then_some(())
    }

    fn digits(&mut self) -> usize {
        let begin = self.at;
        while let Some(b'0'..=b'9') = self.next() {
            self.at += 1;
        }
        self.at - begin
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_plain_is_found() {
        let text = r#" { "a" : "é/" ,"b":-0.50, "c":{"d":[1,null,{"e":true}],"f":{}},"a":[] } "#;
        let nested = r#"{"d":[1,null,{"e":true}],"f":{}}"#;
        assert_eq!(members(text).unwrap(), [("a", "\"é/\""), ("b", "-0.50"), ("c", nested), ("a", "[]")]);
        assert_eq!(objects(" [{},\n{\"a\":5} ]\n", 2).unwrap(), [vec![], vec![("a", "5")]]);
        assert_eq!(members("{}").unwrap(), []);
        let around = envelope(r#"{"x":{"events":1},"sent_at":5,"events":[{"a":1}]}"#, 1).unwrap();
        assert_eq!(around, (vec![vec![("a", "1")]], Some("5")));
        let alone = envelope(r#"{"a":1,"sent_at":5}"#, 1).unwrap();
        assert_eq!(alone, (vec![vec![("a", "1"), ("sent_at", "5")]], None));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for text in [
            "",
            "{",
            "5",
            "{}x",
            r#"{"a":"\n"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":1e3}"#,
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
        ] {
            assert_eq!(members(text), None, "{text}");
        }
        assert_eq!(members(&format!("{{\"a\":{}{}}}", "[".repeat(5), "]".repeat(5))), None);
        for text in ["[{},{},{}]", "[{},]", "[5]", "[{}", "[{}]]"] {
            assert_eq!(objects(text, 2), None, "{text}");
        }
        for text in
            [r#"{"events":[],"events":[]}"#, r#"{"sent_at":1,"events":[],"sent_at":1}"#, r#"{"events":5}"#]
        {
            assert_eq!(envelope(text, 2), None, "{text}");
        }
    }

    proptest! {
        /// Of texts that are nearly JSON: what is taken is JSON, and taken as what it is.
        #[test]
        fn what_is_taken_the_parser_takes_as_well(text in "([{}\\[\\]:,\" \\\\\n\t\u{1}a1.-]|\"[a-zé]{0,9}\"|\"a\":|-?[01][0-9.e]{0,3}|null|true){0,12}") {
            if let Some(members) = members(&text) {
                let Value::Object(parsed) = serde_json::from_str::<Value>(&text).unwrap() else { panic!() };
                for (key, value) in &members {
                    let last = members.iter().rev().find(|(other, _)| other == key).unwrap().1;
                    prop_assert_eq!(parsed.get(*key).unwrap(), &serde_json::from_str::<Value>(last).unwrap());
                    serde_json::from_str::<Value>(value).unwrap();
                }
                prop_assert!(members.len() >= parsed.len());
            }
            let text = format!("[{text}]");
            if let Some(objects) = objects(&text, 3) {
                let parsed: Vec<Value> = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(parsed.len(), objects.len());
                prop_assert!(parsed.iter().zip(objects).all(|(value, members)| value.as_object().unwrap().len() <= members.len()));
            }
        }
    }
}
