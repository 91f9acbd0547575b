//! What to measure.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;
use crate::configuration::Kind;

const USAGE: &str = "\
usage: terrace-bench [OPTION..] [SIZE..]

  SIZE              how many resources or files, 1000 and 10000 unless told; the plugin gets a tenth, providers
                    a fiftieth, and a literal or heredoc four times as many keys or lines
  --full            100000 too, for flat and for_each
  --only KIND       one kind alone: flat, for_each, modules, plugin, providers, files, literal,
                    heredoc; may be repeated
  --provider-share  measure instead what an engine adds to the work of hashicorp/aws
  --state           measure instead what keeping states costs: the journal, and changes of a large state; the
                    first SIZE is how many resources that has (100000)
  --no-reference    leave Terraform out
  --no-build        take the binaries as they are
  --patience N      give a command up after N seconds (600)
  --out FILE        write the table there (docs/evidence/bench.md of the repository)
  --no-out          write no file";

/// Sizes above this are for those kinds alone that `--full` asks for.
const LARGE: usize = 50_000;

/// The command line.
pub(crate) struct Arguments {
    sizes: Vec<usize>,
    kinds: Vec<Kind>,
    /// Whether to measure what an engine adds to a provider's work, and nothing else.
    pub(crate) provider_share: bool,
    /// Whether to measure what keeping states costs, and nothing else.
    pub(crate) state: bool,
    /// Whether Terraform runs beside Terrace.
    pub(crate) reference: bool,
    /// Whether binaries are built first.
    pub(crate) build: bool,
    /// How long a command may take.
    pub(crate) patience: Duration,
    /// Where the table goes.
    pub(crate) out: Option<PathBuf>,
}

impl Arguments {
    /// Reads the arguments; an error is the text to show.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut parsed = Self {
            sizes: Vec::new(),
            kinds: Vec::new(),
            provider_share: false,
            state: false,
            reference: true,
            build: true,
            patience: Duration::from_mins(10),
            out: Some(
                crate::machine::repository()
                    .join("docs")
                    .join("evidence")
                    .join("bench.md"),
            ),
        };
        let mut full = false;
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                rest.next()
                    .ok_or_else(|| format!("{argument} needs a value.\n\n{USAGE}"))
            };
            match argument.as_str() {
                "--full" => full = true,
                "--state" => parsed.state = true,
                "--provider-share" => parsed.provider_share = true,
                "--no-reference" => parsed.reference = false,
                "--no-build" => parsed.build = false,
                "--no-out" => parsed.out = None,
                "--only" => {
                    let name = value()?;
                    let kind = Kind::named(name)
                        .ok_or_else(|| format!("There is no kind {name:?}.\n\n{USAGE}"))?;
                    parsed.kinds.push(kind);
                }
                "--patience" => parsed.patience = Duration::from_secs(value()?.parse()?),
                "--out" => parsed.out = Some(value()?.into()),
                size => {
                    let size = size.replace('_', "").parse().ok().filter(|size| *size > 0);
                    parsed.sizes.push(size.ok_or(USAGE)?);
                }
            }
        }
        if parsed.sizes.is_empty() && parsed.state {
            parsed.sizes = vec![100_000];
        }
        if parsed.sizes.is_empty() {
            parsed.sizes = vec![1_000, 10_000];
        }
        if full && !parsed.sizes.contains(&100_000) {
            parsed.sizes.push(100_000);
        }
        if parsed.kinds.is_empty() {
            parsed.kinds = Kind::ALL.to_vec();
        }
        Ok(parsed)
    }

    /// How many resources a large state has.
    pub(crate) fn state_size(&self) -> usize {
        self.sizes.first().copied().unwrap_or_default()
    }

    /// Every configuration to measure, by kind and then by size.
    pub(crate) fn cases(&self) -> Vec<(Kind, usize)> {
        let fits =
            |kind: Kind, size: usize| size < LARGE || matches!(kind, Kind::Flat | Kind::ForEach);
        self.kinds
            .iter()
            .flat_map(|kind| self.sizes.iter().map(move |size| (*kind, *size)))
            .filter(|(kind, size)| fits(*kind, *size))
            .map(|(kind, size)| match kind {
                Kind::Plugin => (kind, size.div_ceil(10)),
                Kind::Providers => (kind, size.div_ceil(50)),
                Kind::Literal | Kind::Heredoc => (kind, size * 4),
                _ => (kind, size),
            })
            .collect()
    }
}
