//! Everything a sweep recorded, held in memory in an order that depends on the rows alone.

use std::path::Path;

use polars::prelude::{CsvWriter, DataFrame, SerWriter};

use crate::row::settle;
use crate::{Error, FrameError, ItemRow, Row, RunRow, ScoreRow, StepRow, UsageRow, parquet};

/// The five tables of a sweep. Rows were checked on the way in, so that reading them cannot fail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frames {
    runs: Vec<RunRow>,
    steps: Vec<StepRow>,
    scores: Vec<ScoreRow>,
    items: Vec<ItemRow>,
    usage: Vec<UsageRow>,
}

impl Frames {
    /// Sorts each table by its key; of rows with equal keys the last is kept.
    pub fn new(
        runs: Vec<RunRow>,
        steps: Vec<StepRow>,
        scores: Vec<ScoreRow>,
        items: Vec<ItemRow>,
        usage: Vec<UsageRow>,
    ) -> Self {
        Self {
            runs: settle(runs),
            steps: settle(steps),
            scores: settle(scores),
            items: settle(items),
            usage: settle(usage),
        }
    }

    pub fn runs(&self) -> &[RunRow] {
        &self.runs
    }

    pub fn steps(&self) -> &[StepRow] {
        &self.steps
    }

    pub fn scores(&self) -> &[ScoreRow] {
        &self.scores
    }

    pub fn items(&self) -> &[ItemRow] {
        &self.items
    }

    pub fn usage(&self) -> &[UsageRow] {
        &self.usage
    }

    /// The tables as Polars frames, each with its name.
    pub fn tables(&self) -> Result<[(&'static str, DataFrame); 5], FrameError> {
        fn table<R: Row>(rows: &[R]) -> Result<(&'static str, DataFrame), FrameError> {
            Ok((R::TABLE, R::to_frame(rows)?))
        }
        Ok([
            table(&self.runs)?,
            table(&self.steps)?,
            table(&self.scores)?,
            table(&self.items)?,
            table(&self.usage)?,
        ])
    }

    /// Writes `<folder>/<table>.csv` for each table: UTF-8, comma, one header line, null as an empty field.
    pub fn export_csv(&self, folder: &Path) -> Result<(), Error> {
        let tables = self.tables().map_err(|source| Error::Frame {
            file: folder.to_owned(),
            source,
        })?;
        for (name, mut frame) in tables {
            parquet::replace(&folder.join(format!("{name}.csv")), |out| {
                CsvWriter::new(out).finish(&mut frame)
            })?;
        }
        Ok(())
    }
}
