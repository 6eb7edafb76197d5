//! A text with places for ids, taken apart once, so that making another one of it costs next to nothing.
//! *Runs: generator.*

/// The pieces of a text.
#[derive(Debug)]
pub struct Template {
    /// A literal, and the number of the id that follows it.
    pieces: Vec<(String, usize)>,
    rest: String,
}

impl Template {
    /// Takes a text apart where it holds one of these.
    #[must_use]
    pub fn of(text: &str, ids: &[impl AsRef<str>]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        let next = |rest: &str| {
            let found = ids.iter().enumerate().filter_map(|(number, id)| Some((rest.find(id.as_ref())?, number)));
            found.min()
        };
        while let Some((at, number)) = next(rest) {
            pieces.push((rest[..at].to_owned(), number));
            rest = &rest[at + ids[number].as_ref().len()..];
        }
        Self { pieces, rest: rest.to_owned() }
    }

    /// The text with these in the place of those, in the same order.
    #[must_use]
    pub fn with(&self, ids: &[impl AsRef<str>]) -> String {
        let mut text = String::with_capacity(1200);
        for (literal, number) in &self.pieces {
            text.push_str(literal);
            text.push_str(ids[*number].as_ref());
        }
        text.push_str(&self.rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_every_id_is_found() {
        let template = Template::of("ab/x-ab-y", &["x", "ab"]);
        assert_eq!(template.with(&["1", "2"]), "2/1-2-y");
        assert_eq!(Template::of("nothing", &["x"]).with(&["1"]), "nothing");
    }
}
