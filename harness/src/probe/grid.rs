//! The parts of a sweep that are timed: every distinct part of its models, and its tables at further sizes.

use architectures::{
    Architecture, BlockConfig, ConfigError, Cost, DecoderConfig, LayerConfig, ModelConfig, Part,
};

use experiment::plan::Plan;

/// Half-keys of the smallest further table: 2^16 slots. Half-keys double, and slots quadruple, until memory is
/// exceeded.
const FIRST_N_KEYS: usize = 256;

/// Half-keys of the largest further table: 2^30 slots, whose ids fit into 32 bits.
const LAST_N_KEYS: usize = 1 << 15;

/// A model of the sweep, with `seq_len` set to the tokens of one pass.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbedModel {
    /// Label of the size.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// The whole model.
    pub model: ModelConfig,
    /// The blocks of each layer.
    pub layers: Vec<LayerConfig>,
}

/// A part of a model that is timed by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbedPart {
    /// Label of the size.
    pub size: String,
    /// `attention` (a layer without its block), `embedding`, `head`, `norm` (of blocks before
    /// attention), or the label of the block.
    pub block: String,
    /// The part.
    pub kind: Part,
    /// The decoder to which it belongs.
    pub decoder: DecoderConfig,
}

impl ProbedPart {
    /// Cost of one token.
    pub fn cost(&self) -> Cost {
        self.kind.cost(&self.decoder)
    }

    /// Rows of its value table; 0 if it has none.
    pub fn slots(&self) -> u64 {
        match &self.kind {
            Part::Block(block) => slots(block, &self.decoder),
            _ => 0,
        }
    }
}

impl std::fmt::Display for ProbedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.size, self.block)?;
        match self.slots() {
            0 => Ok(()),
            slots => write!(f, " {slots} slots"),
        }
    }
}

/// The models of a plan, each once for all its seeds, for passes of one sequence of `tokens` tokens.
///
/// # Errors
/// If a model is invalid.
pub fn targets(plan: &Plan, tokens: usize) -> Result<Vec<ProbedModel>, ConfigError> {
    let mut targets: Vec<ProbedModel> = Vec::new();
    for run in &plan.runs {
        let label = &run.label;
        let listed = |model: &ProbedModel| model.size == label.size && model.block == label.block;
        if targets.iter().any(listed) {
            continue;
        }
        let mut model = run.model.clone();
        model.decoder.seq_len = tokens;
        targets.push(ProbedModel {
            size: label.size.clone(),
            block: label.block.clone(),
            layers: model.layers()?,
            model,
        });
    }
    Ok(targets)
}

/// The distinct parts of a model, each with its number in the model.
///
/// # Arguments
/// * `all`: all models of the sweep, which determine the labels of blocks.
pub fn model_parts(target: &ProbedModel, all: &[ProbedModel]) -> Vec<(ProbedPart, usize)> {
    let decoder = &target.model.decoder;
    let labelled = |(kind, count): (Part, usize)| {
        let part = ProbedPart {
            size: target.size.clone(),
            block: label(&kind, &target.size, all),
            kind,
            decoder: decoder.clone(),
        };
        (part, count)
    };
    let parts = Part::of(decoder, &target.layers).into_iter();
    parts.map(labelled).collect()
}

/// All parts to be timed: first the distinct parts of `targets`, then these with tables of further sizes, by ascending
/// size. The last size of each is the first for which `fits` is false.
pub fn parts_to_time(
    targets: &[ProbedModel],
    all: &[ProbedModel],
    fits: &dyn Fn(&ProbedPart) -> bool,
) -> Vec<ProbedPart> {
    let mut parts: Vec<ProbedPart> = Vec::new();
    for target in targets {
        for (part, _) in model_parts(target, all) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    let mut grown: Vec<ProbedPart> = Vec::new();
    for part in &parts {
        for part in with_further_tables(part, fits) {
            if !parts.contains(&part) && !grown.contains(&part) {
                grown.push(part);
            }
        }
    }
    grown.sort_by_key(ProbedPart::slots);
    parts.extend(grown);
    parts
}

/// `part` with tables of further sizes; empty if it has no half-keys.
fn with_further_tables(part: &ProbedPart, fits: &dyn Fn(&ProbedPart) -> bool) -> Vec<ProbedPart> {
    let Part::Block(block) = &part.kind else {
        return Vec::new();
    };
    let mut grown = Vec::new();
    let sizes = (0..).map(|doublings| FIRST_N_KEYS << doublings);
    for n_keys in sizes.take_while(|&n_keys| n_keys <= LAST_N_KEYS) {
        let Some(block) = with_n_keys(block, n_keys) else {
            break;
        };
        // `top_k` may exceed this number of half-keys.
        if block.check(&part.decoder).is_err() {
            continue;
        }
        let part = ProbedPart {
            kind: Part::Block(block),
            ..part.clone()
        };
        let last = !fits(&part);
        grown.push(part);
        if last {
            break;
        }
    }
    grown
}

/// The label of a part. Blocks that differ only in their number of half-keys have the first label of any of them in the
/// sweep.
fn label(kind: &Part, size: &str, all: &[ProbedModel]) -> String {
    let block = match kind {
        Part::Layer => return "attention".to_owned(),
        Part::Embedding => return "embedding".to_owned(),
        Part::Head => return "head".to_owned(),
        Part::Norm => return "norm".to_owned(),
        Part::Block(block) => block,
    };
    let family = |block: &BlockConfig| with_n_keys(block, 0).unwrap_or_else(|| block.clone());
    let same = |target: &&ProbedModel| {
        let mut blocks = target.model.blocks.iter();
        target.size == size && blocks.any(|placed| family(&placed.block) == family(block))
    };
    // A block that is not placed by the sweep is the dense one of the other layers.
    let found = all.iter().find(same);
    found.map_or_else(|| "dense".to_owned(), |target| target.block.clone())
}

/// The block with `n_keys` half-keys; `None` if it has no half-keys.
fn with_n_keys(block: &BlockConfig, n_keys: usize) -> Option<BlockConfig> {
    let mut knobs = BlockConfig::knobs(block.kind()).iter();
    let knob = knobs.find(|knob| knob.name == "n_keys")?;
    let mut block = block.clone();
    block.set(knob.path, n_keys).then_some(block)
}

/// Rows of the block's largest value table; 0 if it has none.
pub fn slots(block: &BlockConfig, decoder: &DecoderConfig) -> u64 {
    let tables = block.tables(decoder);
    tables
        .iter()
        .map(|table| table.rows as u64)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use experiment::sweep_file::Sweep;

    fn all() -> Vec<ProbedModel> {
        let text = experiment::testing::SWEEP.replace(
            "[suites]",
            "[blocks.\"large memory\"]\nkind = \"memory\"\nplacement = \"middle\"\n\
             keys = { n_keys = 512, top_k = 4 }\n[suites]",
        );
        let plan = Plan::new(Sweep::parse("f.toml", &text).unwrap()).unwrap();
        targets(&plan, 8).unwrap()
    }

    fn names(parts: &[ProbedPart]) -> Vec<String> {
        parts.iter().map(ProbedPart::to_string).collect()
    }

    #[test]
    fn distinct_parts_are_listed_once_with_tables_up_to_the_first_that_does_not_fit() {
        let all = all();
        let xs: Vec<_> = all.iter().filter(|t| t.size == "xs").cloned().collect();
        let parts = parts_to_time(&xs, &all, &|part| part.slots() < 1 << 20);
        assert_eq!(
            names(&parts),
            [
                "xs attention",
                "xs embedding",
                "xs head",
                "xs dense",
                "xs memory 64 slots",
                "xs memory 262144 slots",
                "xs memory 65536 slots",
                "xs memory 1048576 slots",
            ]
        );
        assert!(parts.iter().all(|part| part.decoder.seq_len == 8));
    }

    #[test]
    fn labels_do_not_depend_on_the_filter() {
        let all = all();
        let large: Vec<_> = all
            .iter()
            .filter(|target| target.block == "large memory")
            .cloned()
            .collect();
        let parts = parts_to_time(&large[..1], &all, &|_| false);
        assert_eq!(names(&parts)[4], "xs memory 262144 slots");
        assert_eq!(names(&parts)[5], "xs memory 65536 slots");
        assert_eq!(parts.len(), 6);
    }

    #[test]
    fn parts_are_counted() {
        let all = all();
        let memory = all.iter().find(|target| target.block == "memory").unwrap();
        let counts: Vec<_> = model_parts(memory, &all)
            .into_iter()
            .map(|(part, count)| (part.block, count))
            .collect();
        let expected = [
            ("attention", 2),
            ("embedding", 1),
            ("head", 1),
            ("dense", 1),
            ("memory", 1),
        ];
        assert_eq!(
            counts,
            expected.map(|(label, count)| (label.to_owned(), count))
        );
    }
}
