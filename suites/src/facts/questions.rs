//! The tasks over a book of facts.

use super::{Fact, FactBook};
use crate::task::{Item, Metric, RECALL, Task, majority};

impl FactBook {
    /// One task per relation over the test split in an unseen phrasing, and `recall`: statements of all facts, in a
    /// phrasing that training uses for that very fact, to be completed.
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
        let tested =
            |&index: &usize| self.facts[index].relation == relation && !self.trained[index];
        let candidates: Vec<usize> = (0..self.facts.len()).filter(tested).collect();
        let population = candidates.len();
        let wording = &self.relations[relation];
        let asked = self.sample(wording.name, candidates, self.protocol.questions);
        let prompt = |index: usize| wording.unseen_question(&self.facts[index].subject);
        let mut task = self.task(wording.name, &asked, population, prompt);
        // Knowledge is measured by recall alone: counted here too, a fact of the test split would count twice.
        for item in &mut task.items {
            item.prior_bits = None;
        }
        task
    }

    fn recall(&self) -> Task {
        let most = self.protocol.questions * self.relations.len();
        let asked = self.sample(RECALL, 0..self.facts.len(), most);
        let prompt = |index: usize| {
            let fact = &self.facts[index];
            let phrasing = self.seen(index, 0);
            self.relations[fact.relation].cloze(phrasing, &fact.subject)
        };
        self.task(RECALL, &asked, self.facts.len(), prompt)
    }

    fn task(
        &self,
        name: &str,
        asked: &[usize],
        population: usize,
        prompt: impl Fn(usize) -> String,
    ) -> Task {
        let items = asked.iter().map(|&index| {
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
            // Statements of all facts are trained on, each as often as any other.
            baseline: majority(
                self.facts.iter().map(|fact| self.pair(fact)),
                asked.iter().map(|&index| self.pair(&self.facts[index])),
            ),
            population,
        }
    }

    /// Name of the relation, and value.
    fn pair<'a>(&'a self, fact: &'a Fact) -> (&'a str, &'a str) {
        (self.relations[fact.relation].name, fact.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::tests::book;

    #[test]
    fn the_test_split_is_asked_in_a_phrasing_that_no_document_has() {
        let book = book(1.0);
        let tasks = book.tasks();
        assert_eq!((tasks[0].items.len(), tasks[0].population), (10, 20));
        assert!(
            tasks[0]
                .items
                .iter()
                .all(|item| item.prompt.starts_with("Q: Name the colour of thing"))
        );
        assert!((0..20).all(|pass| {
            book.documents(pass)
                .iter()
                .all(|text| !text.contains("Name the"))
        }));
    }

    #[test]
    fn baselines_come_from_the_trained_statements_and_bits_from_recall_alone() {
        for task in book(0.5).tasks() {
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
    fn recall_prompts_are_openings_of_trained_statements() {
        let book = book(0.0);
        let recall = book.tasks().pop().expect("recall");
        assert_eq!(
            (recall.name.as_str(), recall.items.len(), recall.population),
            ("recall", 10, 40)
        );
        let trained: Vec<String> = (0..50).flat_map(|pass| book.documents(pass)).collect();
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
