//! Runs that differ in their seed alone are one model.

use crate::RunRow;

/// One column of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Size and block, and what else distinguishes it from the others.
    pub label: String,
    /// Its runs by seed; never empty.
    pub runs: Vec<RunRow>,
}

impl Model {
    /// The run of the lowest seed, for what all runs of a model share.
    pub fn first(&self) -> &RunRow {
        &self.runs[0]
    }

    /// Names of its runs.
    pub fn run_ids(&self) -> Vec<&str> {
        self.runs.iter().map(|run| run.run.as_str()).collect()
    }

    /// The mean of a number over its runs.
    pub fn mean(&self, of: impl Fn(&RunRow) -> f64) -> f64 {
        self.runs.iter().map(of).sum::<f64>() / self.runs.len() as f64
    }

    /// Pairs of runs of one seed, ours first.
    pub fn paired<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a RunRow, &'a RunRow)> {
        self.runs.iter().filter_map(|run| {
            let same = |theirs: &&RunRow| theirs.seed == run.seed;
            Some((run, other.runs.iter().find(same)?))
        })
    }
}

/// The models of these runs, in the order of their first runs.
pub fn models(runs: &[&RunRow]) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    for run in runs {
        match models
            .iter_mut()
            .find(|model| same_configuration(model.first(), run))
        {
            Some(model) if model.runs.iter().any(|other| other.run == run.run) => {}
            Some(model) => model.runs.push((*run).clone()),
            None => models.push(Model {
                label: String::new(),
                runs: vec![(*run).clone()],
            }),
        }
    }
    for model in &mut models {
        model.runs.sort_by_key(|run| run.seed);
    }
    name(&mut models);
    models
}

fn same_configuration(a: &RunRow, b: &RunRow) -> bool {
    fn but_seed(config: &str) -> impl Iterator<Item = &str> {
        config.lines().filter(|line| !line.starts_with("seed = "))
    }
    a.sweep == b.sweep
        && (&a.size, &a.block, &a.matching) == (&b.size, &b.block, &b.matching)
        && a.target_flops == b.target_flops
        && but_seed(&a.config).eq(but_seed(&b.config))
}

/// Labels by size and block; with the sweep where there are several, and the run's name where labels are equal.
fn name(models: &mut [Model]) {
    let sweep = models.first().map(|model| model.first().sweep.clone());
    let several = models
        .iter()
        .any(|model| Some(&model.first().sweep) != sweep.as_ref());
    for model in models.iter_mut() {
        let run = model.first();
        let size_and_block = format!("{}/{}", run.size, run.block);
        model.label = match several {
            true => format!("{}:{size_and_block}", run.sweep),
            false => size_and_block,
        };
    }
    let labels: Vec<String> = models.iter().map(|model| model.label.clone()).collect();
    for (index, model) in models.iter_mut().enumerate() {
        let twin = |(other, label): (usize, &String)| other != index && *label == model.label;
        if labels.iter().enumerate().any(twin) {
            let short: String = model.first().run.chars().take(6).collect();
            model.label = format!("{} {short}", model.label);
        }
    }
}
