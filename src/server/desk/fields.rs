//! Takes the fields out of a TOML table one by one, and notes with its place whatever is wrong: so that all mistakes of a
//! file can be told at once, each with its line. *Runs: server.*

use std::{cell::RefCell, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// What is wrong with a text, by the place of it.
pub(super) struct Faults<'t> {
    path: &'t str,
    text: &'t str,
    found: RefCell<Vec<(usize, String)>>,
}

impl<'t> Faults<'t> {
    /// Nothing is wrong yet with the text of this file.
    pub(super) fn new(path: &'t str, text: &'t str) -> Self {
        Self { path, text, found: RefCell::default() }
    }

    /// Notes what is wrong at this offset, in bytes.
    pub(super) fn note(&self, at: usize, what: impl Into<String>) {
        self.found.borrow_mut().push((at, what.into()));
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// One sentence for each mistake, in the order of their lines.
    pub(super) fn told(self) -> Vec<String> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(at, _)| *at);
        let line = |at: usize| 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        found.into_iter().map(|(at, what)| format!("{}, line {}: {what}", self.path, line(at))).collect()
    }
}

/// The text, or where it was noted as a mistake, none.
pub(super) fn own(text: Option<Spanned<String>>) -> String {
    text.map_or_else(String::new, Spanned::into_inner)
}

/// A table whose fields are taken one by one.
pub(super) struct Fields<'f, 't> {
    table: DeTable<'t>,
    /// Where it begins.
    at: usize,
    /// How the file writes it: `[credential]`.
    title: String,
    asked: Vec<String>,
    faults: &'f Faults<'t>,
}

impl<'f, 't> Fields<'f, 't> {
    /// A table as its file writes it, which begins there.
    pub(super) fn new(table: DeTable<'t>, at: usize, title: impl Into<String>, faults: &'f Faults<'t>) -> Self {
        Self { table, at, title: title.into(), asked: Vec::new(), faults }
    }

    /// The value of a field, read by `read`; one that is of another kind is noted.
    pub(super) fn get<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(DeValue<'t>) -> Option<T>,
    ) -> Option<Spanned<T>> {
        self.asked.push(name.to_owned());
        let value = self.table.remove(name)?;
        let span = value.span();
        let read = read(value.into_inner());
        if read.is_none() {
            self.faults.note(span.start, format!("`{name}` has to be {expected}"));
        }
        read.map(|value| Spanned::new(span, value))
    }

    /// Whether the table has this field, whatever it holds.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Notes that the table lacks this field.
    pub(super) fn lacks(&self, name: &str) {
        self.faults.note(self.at, format!("{} has no `{name}`", self.title));
    }

    /// A text that may be left out.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.get(name, "text in quotes", text).map(Spanned::into_inner)
    }

    /// A text that has to be there; may be empty.
    pub(super) fn needed_text(&mut self, name: &str) -> Option<Spanned<String>> {
        if !self.has(name) {
            self.lacks(name);
        }
        self.get(name, "text in quotes", text)
    }

    /// A text that has to be there and say something.
    pub(super) fn filled_text(&mut self, name: &str, why: &str) -> Option<Spanned<String>> {
        let found = self.needed_text(name)?;
        if found.get_ref().trim().is_empty() {
            self.faults.note(found.span().start, format!("`{name}` is empty{why}"));
            return None;
        }
        Some(found)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        self.get(name, "true or false", |value| value.as_bool()).map_or(default, Spanned::into_inner)
    }

    /// A whole number as a wallet can compare it: predicates are of 32 bits.
    pub(super) fn number(&mut self, name: &str) -> Option<Spanned<i64>> {
        self.get(name, "a whole number between -2147483648 and 2147483647", |value| {
            let number = value.as_integer()?;
            i32::from_str_radix(number.as_str(), number.radix()).ok().map(i64::from)
        })
    }

    /// A length of time above zero.
    pub(super) fn length(&mut self, name: &str) -> Option<Duration> {
        let read =
            |value: DeValue<'t>| humantime::parse_duration(value.as_str()?).ok().filter(|length| !length.is_zero());
        self.get(name, "a length of time above zero, such as \"10m\", \"12h\" or \"90d\"", read)
            .map(Spanned::into_inner)
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&mut self, name: &str) -> Vec<Spanned<String>> {
        let read = |value: DeValue<'t>| match value {
            DeValue::Array(list) => list.into_iter().map(spanned_text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        self.get(name, "a list of texts in quotes", read).map_or_else(Vec::new, Spanned::into_inner)
    }

    /// A table in this one. `None` when it is not there, or no table.
    pub(super) fn table(&mut self, name: &str, title: impl Into<String>) -> Option<Self> {
        let title = title.into();
        let found = self.get(name, &format!("a table, `{title}`"), |value| match value {
            DeValue::Table(table) => Some(table),
            _ => None,
        })?;
        Some(Self::new_at(found, title, self.faults))
    }

    /// A list of tables. `None` when it is not there, or no such list.
    pub(super) fn tables(&mut self, name: &str, title: &'static str) -> Option<Spanned<Vec<Self>>> {
        let faults = self.faults;
        self.get(name, &format!("a list of tables, each begun with `{title}`"), |value| {
            let DeValue::Array(list) = value else { return None };
            let tables = list.into_iter().map(|item| {
                let span = item.span();
                match item.into_inner() {
                    DeValue::Table(table) => Some(Self::new_at(Spanned::new(span, table), title, faults)),
                    _ => None,
                }
            });
            tables.collect()
        })
    }

    fn new_at(table: Spanned<DeTable<'t>>, title: impl Into<String>, faults: &'f Faults<'t>) -> Self {
        let at = table.span().start;
        Self::new(table.into_inner(), at, title, faults)
    }

    /// Notes every field that nobody asked for, with those that there are.
    pub(super) fn end(self) {
        for (name, _) in self.table {
            let known = self.asked.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
            self.faults.note(name.span().start, format!("unknown field `{name}`: {} has {known}", self.title));
        }
    }
}

fn text(value: DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.into_owned()),
        _ => None,
    }
}

fn spanned_text(value: Spanned<DeValue<'_>>) -> Option<Spanned<String>> {
    let span = value.span();
    text(value.into_inner()).map(|text| Spanned::new(span, text))
}
