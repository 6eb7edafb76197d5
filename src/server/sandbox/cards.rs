//! The made-up cards in the sandbox's wallet. Nobody in them exists. *Runs: server.*

use std::collections::HashMap;

/// A made-up holder.
pub struct Holder {
    /// The name in the address of the wallet's forms.
    pub key: &'static str,
    /// The name the wallet gives itself when it connects.
    pub wallet: &'static str,
    /// The name on the card.
    pub name: &'static str,
    values: &'static [(&'static str, &'static str)],
}

/// The holders one can be in the sandbox.
pub const HOLDERS: [Holder; 2] = [
    Holder {
        key: "amaka",
        wallet: "Amaka's phone",
        name: "Amaka Ngozi Okonkwo",
        values: &[
            ("surname", "Okonkwo"),
            ("othernames", "Amaka Ngozi"),
            ("matric_number", "UNI/CSC/21/0417"),
            ("school_name", "Unity State University"),
            ("programme", "B.Sc Computer Science"),
            ("department", "Computer Science"),
            ("date_of_birth", "2003-04-17"),
            ("national_id_number", "70123456789"),
            ("graduation_year", "2026"),
        ],
    },
    Holder {
        key: "tunde",
        wallet: "Tunde's phone",
        name: "Tunde Adebayo Balogun",
        values: &[
            ("surname", "Balogun"),
            ("othernames", "Tunde Adebayo"),
            ("matric_number", "UNI/MTH/22/0038"),
            ("school_name", "Unity State University"),
            ("programme", "B.Sc Mathematics"),
            ("department", "Mathematics"),
            ("date_of_birth", "2004-11-02"),
            ("national_id_number", "70987654321"),
            ("graduation_year", "2027"),
        ],
    },
];

impl Holder {
    /// The holder of this key; the first one for any other.
    #[must_use]
    pub fn of(key: &str) -> &'static Self {
        HOLDERS.iter().find(|holder| holder.key == key).unwrap_or(&HOLDERS[0])
    }

    /// What this holder's card says for these attributes. One that no card of ours has gets a made-up value, so that
    /// any desk can be tried.
    #[must_use]
    pub fn card<'a>(&self, attributes: impl Iterator<Item = &'a str>) -> HashMap<String, String> {
        attributes
            .map(|name| {
                let value = self.values.iter().find(|(known, _)| *known == name).map_or("Sample", |(_, value)| value);
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }
}
