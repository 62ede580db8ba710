//! The tasks of a set of facts.

use super::fact_set::{Fact, FactSet};
use crate::task::{Item, Metric, RECALL, Task, majority};

impl FactSet {
    /// One task per relation, with questions about the test split in an unseen phrasing, and `recall`, the completion
    /// of statements of a sample of all facts, each in a phrasing that is used for that fact in training.
    pub fn tasks(&self) -> Vec<Task> {
        let relations = 0..self.relations.len();
        let mut tasks: Vec<Task> = relations
            .map(|relation| self.questions_of(relation))
            .collect();
        tasks.retain(|task| !task.items.is_empty());
        tasks.push(self.recall());
        tasks
    }

    fn questions_of(&self, relation: usize) -> Task {
        let in_test_split =
            |&index: &usize| self.facts[index].relation == relation && !self.trained[index];
        let candidates: Vec<usize> = (0..self.facts.len()).filter(in_test_split).collect();
        let population = candidates.len();
        let wording = &self.relations[relation];
        let tested = self.sample(wording.name, candidates, self.protocol.questions);
        let prompt = |index: usize| wording.unseen_question(&self.facts[index].subject);
        let mut task = self.task(wording.name, &tested, population, prompt);
        // Stored information is measured by recall only; with priors here, facts of the test split would be counted
        // twice.
        for item in &mut task.items {
            item.prior_bits = None;
        }
        task
    }

    fn recall(&self) -> Task {
        let max = self.protocol.questions * self.relations.len();
        let tested = self.sample(RECALL, 0..self.facts.len(), max);
        let prompt = |index: usize| {
            let fact = &self.facts[index];
            let phrasing = self.training_phrasing(index, 0);
            self.relations[fact.relation].cloze(phrasing, &fact.subject)
        };
        self.task(RECALL, &tested, self.facts.len(), prompt)
    }

    fn task(
        &self,
        name: &str,
        tested: &[usize],
        population: usize,
        prompt: impl Fn(usize) -> String,
    ) -> Task {
        let items = tested.iter().map(|&index| {
            let fact = &self.facts[index];
            let relation = &self.relations[fact.relation];
            Item {
                id: format!("{}/{}", relation.name, fact.subject),
                prompt: prompt(index),
                expected: format!(" {}", fact.value),
                prior_bits: relation.prior_bits(),
                check: None,
            }
        });
        Task {
            name: name.to_owned(),
            metric: Metric::ExactMatch,
            items: items.collect(),
            // All facts are trained on as statements, equally often.
            baseline: majority(
                self.facts.iter().map(|fact| self.pair(fact)),
                tested.iter().map(|&index| self.pair(&self.facts[index])),
            ),
            population,
        }
    }

    /// The name of the relation and the value.
    fn pair<'a>(&'a self, fact: &'a Fact) -> (&'a str, &'a str) {
        (self.relations[fact.relation].name, fact.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::fact_set::tests::colours;

    #[test]
    fn the_phrasing_of_the_test_split_is_in_no_document() {
        let facts = colours(1.0);
        let tasks = facts.tasks();
        assert_eq!((tasks[0].items.len(), tasks[0].population), (10, 20));
        assert!(
            tasks[0]
                .items
                .iter()
                .all(|item| item.prompt.starts_with("Q: Name the colour of thing"))
        );
        assert!((0..20).all(|epoch| {
            facts
                .documents(epoch)
                .iter()
                .all(|text| !text.contains("Name the"))
        }));
    }

    #[test]
    fn baselines_are_from_all_facts_and_only_recall_has_prior_bits() {
        for task in colours(0.5).tasks() {
            let blue = task.items.iter().filter(|item| item.expected == " blue");
            let share = blue.count() as f64 / task.items.len() as f64;
            assert_eq!(task.baseline, Some(share), "three facts of four are blue");
            let recall = task.name == "recall";
            let counted = task
                .items
                .iter()
                .all(|item| item.prior_bits.is_some() == recall);
            assert!(counted, "{}", task.name);
        }
    }

    #[test]
    fn recall_prompts_are_prefixes_of_trained_statements() {
        let facts = colours(0.0);
        let recall = facts.tasks().pop().expect("recall");
        assert_eq!(
            (recall.name.as_str(), recall.items.len(), recall.population),
            ("recall", 10, 40)
        );
        let trained: Vec<String> = (0..50).flat_map(|epoch| facts.documents(epoch)).collect();
        for item in &recall.items {
            assert!(
                trained.contains(&format!("{}{}", item.prompt, item.expected)),
                "{}",
                item.prompt
            );
            assert_eq!(item.prior_bits, Some(1.0));
        }
    }
}
