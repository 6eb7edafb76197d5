//! The arguments. *Runs: generator.*

use crate::{
    scenarios::{self, Letter},
    server::Kind,
};

/// What `--help` says.
pub const HELP: &str = "\
Measures Vestibule beside bare floors and a Node server. From the repository's root:

  make bench ARGS=\"[--quick] [--write] [--only a,c] [--servers vestibule,node-ws] [--rounds 3]\"

  --quick       small sizes, one round: to see that it runs, and for a first look
  --only        these scenarios (a to k)
  --servers     these servers: vestibule, floor-tuned, floor-sqlite, node-ws; in k also postgres, two-postgres, two-redis
  --rounds      so many rounds, of which the median counts
  --write       writes docs/performance.json and docs/performance.svg, and the tables in docs/performance.md
  --binary      another release binary than target/release/vestibule (hash.txt beside it)
  --site        another site than target/site
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Small sizes.
    pub quick: bool,
    /// Writes the results into the repository.
    pub write: bool,
    /// The scenarios.
    pub only: Vec<Letter>,
    /// The servers.
    pub servers: Vec<Kind>,
    /// How many rounds.
    pub rounds: usize,
    /// The program's binary, from the repository's root.
    pub binary: String,
    /// The program's site, from the repository's root.
    pub site: String,
}

impl Options {
    /// Reads the arguments; `None` when help was asked for.
    ///
    /// # Errors
    /// With what cannot be understood.
    pub fn read(arguments: &[String]) -> Result<Option<Self>, String> {
        let all: Vec<Letter> = scenarios::ALL.iter().map(|(letter, _)| *letter).collect();
        let mut options = Self {
            quick: false,
            write: false,
            only: all.clone(),
            servers: Kind::ALL.to_vec(),
            rounds: 0,
            binary: "target/release/vestibule".to_owned(),
            site: "target/site".to_owned(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--quick" => options.quick = true,
                "--write" => options.write = true,
                "--only" => {
                    options.only = value()?.split(',').filter_map(|name| name.trim().chars().next()).collect();
                    if let Some(letter) = options.only.iter().find(|letter| !all.contains(letter)) {
                        return Err(format!("there is no scenario {letter}"));
                    }
                }
                "--servers" => {
                    let find = |name: &str| {
                        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim());
                        kind.ok_or_else(|| format!("there is no server {name}"))
                    };
                    options.servers = value()?.split(',').map(find).collect::<Result<_, _>>()?;
                }
                "--rounds" => {
                    options.rounds =
                        value()?.parse().ok().filter(|rounds| (1..=9).contains(rounds)).ok_or("1 to 9 rounds")?;
                }
                "--binary" => options.binary.clone_from(value()?),
                "--site" => options.site.clone_from(value()?),
                other => return Err(format!("{other} is not understood; see --help")),
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 1 } else { 3 };
        }
        Ok(Some(options))
    }
}
