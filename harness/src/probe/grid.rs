//! Which parts a sweep needs measured: every distinct part of its models, and their tables at sizes of their own.

use architectures::{
    Architecture, BlockConfig, ConfigError, Cost, DecoderConfig, LayerConfig, ModelConfig, Part,
};

use experiment::plan::Plan;

/// Half-keys at which tables begin to grow: 2^16 slots. They double, so that slots quadruple, while memory holds them.
const FIRST_N_KEYS: usize = 256;

/// Half-keys beyond which no table grows: 2^30 slots, whose ids any device can count.
const LAST_N_KEYS: usize = 1 << 15;

/// A model of the sweep, its context cut to the tokens of one pass.
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

/// A part of some model, to be measured alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Label of the size.
    pub size: String,
    /// `attention` (a layer but for its block), `embedding`, `head`, `norm` (of blocks before
    /// attention), or the label of the block.
    pub block: String,
    /// What is built.
    pub part: Part,
    /// The decoder that it is a part of.
    pub decoder: DecoderConfig,
}

impl Cell {
    /// What one token costs.
    pub fn cost(&self) -> Cost {
        self.part.cost(&self.decoder)
    }

    /// Rows of its value table, 0 without one.
    pub fn slots(&self) -> u64 {
        match &self.part {
            Part::Block(block) => slots(block),
            _ => 0,
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.size, self.block)?;
        match self.slots() {
            0 => Ok(()),
            slots => write!(f, " {slots} slots"),
        }
    }
}

/// The models of a plan, each once whatever its seeds, at passes of one sequence of `tokens` tokens.
pub fn targets(plan: &Plan, tokens: usize) -> Result<Vec<ProbedModel>, ConfigError> {
    let mut targets: Vec<ProbedModel> = Vec::new();
    for run in &plan.runs {
        let cell = &run.label;
        let known = |held: &ProbedModel| held.size == cell.size && held.block == cell.block;
        if targets.iter().any(known) {
            continue;
        }
        let mut model = run.model.clone();
        model.decoder.seq_len = tokens;
        targets.push(ProbedModel {
            size: cell.size.clone(),
            block: cell.block.clone(),
            layers: model.layers()?,
            model,
        });
    }
    Ok(targets)
}

/// The parts of a model, each with how many of it there are; `all` are the sweep's models, for their labels.
pub fn parts(target: &ProbedModel, all: &[ProbedModel]) -> Vec<(Cell, usize)> {
    let decoder = &target.model.decoder;
    let cell = |(part, count): (Part, usize)| {
        let cell = Cell {
            size: target.size.clone(),
            block: label(&part, &target.size, all),
            part,
            decoder: decoder.clone(),
        };
        (cell, count)
    };
    let parts = Part::of(decoder, &target.layers).into_iter();
    parts.map(cell).collect()
}

/// All cells of `targets`: those that the models consist of first, then tables as they grow, small ones first, each as far
/// as `fits` says and one beyond.
pub fn cells(
    targets: &[ProbedModel],
    all: &[ProbedModel],
    fits: &dyn Fn(&Cell) -> bool,
) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for target in targets {
        for (cell, _) in parts(target, all) {
            if !cells.contains(&cell) {
                cells.push(cell);
            }
        }
    }
    let mut grown: Vec<Cell> = Vec::new();
    for cell in &cells {
        for cell in growth(cell, fits) {
            if !cells.contains(&cell) && !grown.contains(&cell) {
                grown.push(cell);
            }
        }
    }
    grown.sort_by_key(Cell::slots);
    cells.extend(grown);
    cells
}

/// `cell` with tables of growing size: none unless it has half-keys.
fn growth(cell: &Cell, fits: &dyn Fn(&Cell) -> bool) -> Vec<Cell> {
    let Part::Block(block) = &cell.part else {
        return Vec::new();
    };
    let mut grown = Vec::new();
    let sizes = (0..).map(|doublings| FIRST_N_KEYS << doublings);
    for n_keys in sizes.take_while(|&n_keys| n_keys <= LAST_N_KEYS) {
        let Some(block) = with_n_keys(block, n_keys) else {
            break;
        };
        // Fewer half-keys than a head reads.
        if block.check(&cell.decoder).is_err() {
            continue;
        }
        let cell = Cell {
            part: Part::Block(block),
            ..cell.clone()
        };
        let last = !fits(&cell);
        grown.push(cell);
        if last {
            break;
        }
    }
    grown
}

/// Blocks that differ in their number of half-keys alone are one family, called by its first label in the sweep.
fn label(part: &Part, size: &str, all: &[ProbedModel]) -> String {
    let block = match part {
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
    // Layers that no block of the sweep was placed in are dense.
    let found = all.iter().find(same);
    found.map_or_else(|| "dense".to_owned(), |target| target.block.clone())
}

/// A block's configuration as a table: how any block that has `keys.n_keys` is grown, whatever its kind.
fn table(block: &BlockConfig) -> Option<toml::Table> {
    toml::Table::try_from(block).ok()
}

/// The same block with another number of half-keys; none where it has no half-keys.
fn with_n_keys(block: &BlockConfig, n_keys: usize) -> Option<BlockConfig> {
    let mut table = table(block)?;
    let keys = table.get_mut("keys")?.as_table_mut()?;
    *keys.get_mut("n_keys")? = toml::Value::Integer(i64::try_from(n_keys).ok()?);
    table.try_into().ok()
}

/// Rows of the block's value table, 0 without one.
pub fn slots(block: &BlockConfig) -> u64 {
    let n_keys = || table(block)?.get("keys")?.get("n_keys")?.as_integer();
    n_keys().map_or(0, |n_keys| n_keys.unsigned_abs().pow(2))
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

    fn names(cells: &[Cell]) -> Vec<String> {
        cells.iter().map(Cell::to_string).collect()
    }

    #[test]
    fn each_distinct_part_is_a_cell_and_tables_grow_until_one_does_not_fit() {
        let all = all();
        let xs: Vec<_> = all.iter().filter(|t| t.size == "xs").cloned().collect();
        let cells = cells(&xs, &all, &|cell| cell.slots() < 1 << 20);
        assert_eq!(
            names(&cells),
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
        assert!(cells.iter().all(|cell| cell.decoder.seq_len == 8));
    }

    #[test]
    fn a_filter_changes_no_label() {
        let all = all();
        let large: Vec<_> = all
            .iter()
            .filter(|target| target.block == "large memory")
            .cloned()
            .collect();
        let cells = cells(&large[..1], &all, &|_| false);
        assert_eq!(names(&cells)[4], "xs memory 262144 slots");
        assert_eq!(names(&cells)[5], "xs memory 65536 slots");
        assert_eq!(cells.len(), 6);
    }

    #[test]
    fn parts_are_counted() {
        let all = all();
        let memory = all.iter().find(|target| target.block == "memory").unwrap();
        let counts: Vec<_> = parts(memory, &all)
            .into_iter()
            .map(|(cell, count)| (cell.block, count))
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
