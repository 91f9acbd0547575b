//! Evaluates random expressions with both engines, and makes disagreements small.

use std::collections::BTreeMap;
use std::path::Path;

use crate::engine::Engine;
use crate::known::{self, Known};
use crate::node::Node;
use crate::outcome::{Class, Outcome, difference, evaluate};
use crate::{Failure, expression};

/// How many expressions are evaluated in one run of an engine.
const BATCH: usize = 500;
/// How many smaller expressions are tried for one disagreement in one go.
const TRIES: usize = 16;
/// How many disagreements are made small.
const MINIMISED: usize = 120;
/// How often the smallest found are tried to be made smaller.
const ROUNDS: usize = 30;

/// What is compared.
pub(crate) struct Comparison<'a> {
    pub(crate) reference: &'a Engine,
    pub(crate) ours: &'a Engine,
}

/// An expression of which the engines make different things.
pub(crate) struct Disagreement {
    /// Which one of the run.
    pub(crate) index: u64,
    pub(crate) node: Node,
    pub(crate) class: Class,
    pub(crate) reference: Outcome,
    pub(crate) ours: Outcome,
}

/// What came of a run.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) n_expressions: usize,
    /// Of how many both engines said that they have a value, or that they have none.
    pub(crate) n_values: usize,
    pub(crate) n_refused: usize,
    pub(crate) counts: BTreeMap<Class, usize>,
    pub(crate) n_known: BTreeMap<&'static str, usize>,
    /// The smallest ones, one of a sort.
    pub(crate) disagreements: Vec<Disagreement>,
}

/// Runs `n` expressions, beginning with number `first`.
pub(crate) fn run(
    comparison: &Comparison<'_>,
    seed: u64,
    first: u64,
    n: usize,
) -> Result<Found, Failure> {
    let directory = tempfile::tempdir()?;
    let signatures = expression::signatures();
    let mut found = Found::default();
    let mut disagreements = Vec::new();
    let indexes: Vec<u64> = (first..).take(n).collect();
    for batch in indexes.chunks(BATCH) {
        let nodes: Vec<(u64, Node)> = batch
            .iter()
            .map(|index| (*index, expression::expression(seed, *index, &signatures)))
            .collect();
        for (compared, index) in comparison.all(directory.path(), &nodes)? {
            found.count(&compared);
            if let Compared::Differs(difference) = compared {
                disagreements.push(Disagreement {
                    index,
                    ..*difference
                });
            }
        }
        found.n_expressions += nodes.len();
        println!(
            "{} expressions, {} disagreements",
            found.n_expressions,
            disagreements.len()
        );
    }
    disagreements.sort_by_key(|found| (found.class, found.node.size()));
    disagreements.truncate(MINIMISED);
    comparison.minimise(directory.path(), &mut disagreements)?;
    found.disagreements = unlike(disagreements);
    Ok(found)
}

/// What came of one expression.
enum Compared {
    Values,
    Refused,
    Known(&'static Known),
    Differs(Box<Disagreement>),
}

impl Found {
    fn count(&mut self, compared: &Compared) {
        match compared {
            Compared::Values => self.n_values += 1,
            Compared::Refused => self.n_refused += 1,
            Compared::Known(known) => *self.n_known.entry(known.name).or_default() += 1,
            Compared::Differs(difference) => *self.counts.entry(difference.class).or_default() += 1,
        }
    }
}

impl Comparison<'_> {
    fn all(
        &self,
        directory: &Path,
        nodes: &[(u64, Node)],
    ) -> Result<Vec<(Compared, u64)>, Failure> {
        let texts: Vec<String> = nodes.iter().map(|(_, node)| node.to_string()).collect();
        let reference = evaluate(self.reference, directory, &texts)?;
        let ours = evaluate(self.ours, directory, &texts)?;
        let compared = nodes
            .iter()
            .zip(&texts)
            .zip(reference.into_iter().zip(ours))
            .map(|(((index, node), text), (reference, ours))| {
                (compare(*index, node, text, reference, ours), *index)
            })
            .collect();
        Ok(compared)
    }

    /// Replaces disagreements by the smallest ones of the same class that can be reached.
    fn minimise(
        &self,
        directory: &Path,
        disagreements: &mut [Disagreement],
    ) -> Result<(), Failure> {
        let mut candidates: Vec<Vec<Node>> = disagreements
            .iter()
            .map(|found| steps(&found.node))
            .collect();
        for round in 0..ROUNDS {
            let mut tried = Vec::new();
            for (which, candidates) in (0..).zip(&mut candidates) {
                let rest = candidates.split_off(candidates.len().min(TRIES));
                tried.extend(
                    std::mem::replace(candidates, rest)
                        .into_iter()
                        .map(|node| (which, node)),
                );
            }
            if tried.is_empty() {
                break;
            }
            println!("making smaller, round {}: {} tries", round + 1, tried.len());
            for chunk in tried.chunks(BATCH) {
                for (compared, which) in self.all(directory, chunk)? {
                    let which = usize::try_from(which)?;
                    let place = &mut disagreements[which];
                    if let Compared::Differs(smaller) = compared
                        && smaller.class == place.class
                        && smaller.node.size() < place.node.size()
                    {
                        *place = Disagreement {
                            index: place.index,
                            ..*smaller
                        };
                        candidates[which] = steps(&place.node);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Smaller expressions, the smallest first.
fn steps(node: &Node) -> Vec<Node> {
    let mut smaller = node.smaller();
    smaller.retain(|node| expression::is_closed(&node.to_string()));
    smaller.sort_by_key(Node::size);
    smaller.dedup();
    smaller
}

fn compare(index: u64, node: &Node, text: &str, reference: Outcome, ours: Outcome) -> Compared {
    let Some(class) = difference(&reference, &ours) else {
        return match reference {
            Outcome::Value(_) => Compared::Values,
            Outcome::Refused(_) | Outcome::Failed(_) => Compared::Refused,
        };
    };
    if let Some(known) = known::known(text, &reference, &ours, class) {
        return Compared::Known(known);
    }
    Compared::Differs(Box::new(Disagreement {
        index,
        node: node.clone(),
        class,
        reference,
        ours,
    }))
}

/// One of each sort: those whose small expressions are the same are one.
fn unlike(disagreements: Vec<Disagreement>) -> Vec<Disagreement> {
    let mut seen = std::collections::BTreeSet::new();
    disagreements
        .into_iter()
        .filter(|found| seen.insert((found.class, found.node.to_string())))
        .collect()
}
