//! Planning: instances x prior state x providers -> [`terrace_plan::Plan`]. The only crate that decides.
//!
//! [`plan`] walks the configuration in the order of its references. Whatever may go next is evaluated by the one owner
//! of the walk; what providers have to do runs beside it, as many calls at once as the options allow. The same inputs
//! give the same plan, whatever the order in which providers answer.

mod arguments;
mod checks;
mod closure;
mod exec;
mod generate;
mod instance;
mod known;
mod moves;
mod place;
mod planning;
mod pool;
mod reasons;
mod relevant;
mod removed;
mod request;
mod table;
mod targets;
#[cfg(test)]
mod testing;
mod traversal;
mod validate;
mod walk;

pub use generate::generated_file;
pub use known::KnownValues;
pub use planning::plan;
pub use request::{PlanOptions, PlanRequest, ProviderSource};
pub use validate::{ValidateRequest, validate};
