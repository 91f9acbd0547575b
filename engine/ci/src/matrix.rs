//! Jobs of a workflow, one for each part of the work.

use serde_json::{Value, json};

/// How many jobs GitHub makes of one matrix.
pub const MATRIX_JOBS: usize = 256;

/// One job: stacks of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixJob {
    /// The environment; `None` without a project file.
    pub environment: Option<String>,
    /// The stacks; none where there is only one, which has no name.
    pub stacks: Vec<String>,
}

/// The jobs for environments with their stacks, at most `most` of them: one for each pair, or where these are more, as many
/// stacks in each job as it takes, never of two environments. Jobs of more environments than `most` are one for each environment.
pub fn matrix(targets: &[(Option<String>, Vec<String>)], most: usize) -> Vec<MatrixJob> {
    let longest = targets.iter().map(|(_, stacks)| stacks.len()).max();
    let longest = longest.unwrap_or_default().max(1);
    let count = |size: usize| -> usize {
        let jobs = targets
            .iter()
            .map(|(_, stacks)| stacks.len().div_ceil(size));
        jobs.map(|jobs| jobs.max(1)).sum()
    };
    let size = (1..longest)
        .find(|size| count(*size) <= most)
        .unwrap_or(longest);
    let mut jobs = Vec::new();
    for (environment, stacks) in targets {
        let job = |stacks: &[String]| MatrixJob {
            environment: environment.clone(),
            stacks: stacks.to_vec(),
        };
        if stacks.is_empty() {
            jobs.push(job(&[]));
        }
        jobs.extend(stacks.chunks(size).map(job));
    }
    jobs
}

/// The jobs as the `matrix` of a `strategy`, with a name for each that can be one of a variable.
pub fn matrix_json(jobs: &[MatrixJob]) -> Value {
    let include: Vec<Value> = jobs
        .iter()
        .map(|job| {
            let environment = job.environment.clone().unwrap_or_default();
            json!({
                "environment": environment,
                "stack": job.stacks.join(","),
                "variable": variable_name(&environment),
            })
        })
        .collect();
    json!({ "include": include })
}

/// The name of an environment within that of a variable: capitals, digits and `_`.
pub fn variable_name(environment: &str) -> String {
    environment
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(environment: &str, stacks: usize) -> (Option<String>, Vec<String>) {
        let stacks = (0..stacks).map(|n| format!("s{n}")).collect();
        (Some(environment.to_owned()), stacks)
    }

    #[test]
    fn every_stack_has_a_job_where_there_is_room() {
        let jobs = matrix(&[target("dev", 2), target("prd", 1)], MATRIX_JOBS);
        let told: Vec<String> = jobs
            .iter()
            .map(|job| format!("{:?}/{}", job.environment, job.stacks.join(",")))
            .collect();
        assert_eq!(
            told,
            ["Some(\"dev\")/s0", "Some(\"dev\")/s1", "Some(\"prd\")/s0"]
        );
        assert!(matrix(&[], MATRIX_JOBS).is_empty());
    }

    #[test]
    fn many_stacks_share_jobs_and_none_is_lost() {
        let targets = [target("dev", 200), target("stg", 200), target("prd", 3)];
        let jobs = matrix(&targets, MATRIX_JOBS);
        assert!(jobs.len() <= MATRIX_JOBS, "{}", jobs.len());
        let stacks: usize = jobs.iter().map(|job| job.stacks.len()).sum();
        assert_eq!(stacks, 403);
    }

    #[test]
    fn a_project_without_stacks_has_a_job_for_each_environment() {
        let jobs = matrix(&[target("my-dev", 0)], MATRIX_JOBS);
        assert_eq!(
            matrix_json(&jobs).to_string(),
            r#"{"include":[{"environment":"my-dev","stack":"","variable":"MY_DEV"}]}"#
        );
    }
}
