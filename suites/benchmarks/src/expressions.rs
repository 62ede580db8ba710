//! Templates and expressions of a task, compiled, with the filters that the declarations use beside Jinja's own.
//!
//! | filter | result |
//! |---|---|
//! | `strip`, `strip_start` | without whitespace at both ends, or at the start, as Python's `strip` |
//! | `question_mark` | with `?` appended unless it ends in one |
//! | `before(text)` | what is before the first occurrence of a text; all if there is none |
//! | `position(value)` | place of a value in a list, from 0 |
//! | `python_list` | the texts of a list literal of Python |
//! | `json_list` | the texts of a list in JSON |
//! | `without_extensions` | sorted, without texts that begin with the one kept before (webqs) |
//! | `capitalise` | first character upper case, the rest lower case, as Python's `capitalize` |
//! | `capitalise_last` | the last sentence so, unless the text ends one (hellaswag) |
//! | `hellaswag` | without its markup |
//! | `unix_lines` | with `\n` for `\r\n` |
//! | `definitions` | the names of the functions and classes that Python code defines at its top level |

use std::collections::BTreeMap;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value as Json;

use crate::error::BenchmarkError;
use crate::task::Task;
use crate::text::{is_python_space, python_capitalised, python_list, python_strip};

/// The compiled templates and expressions of a task.
pub struct Expressions {
    task: String,
    environment: Environment<'static>,
    /// Expressions by key.
    sources: BTreeMap<&'static str, String>,
}

/// Keys that are templates; the others are expressions.
const TEMPLATES: [&str; 6] = [
    "description",
    "text",
    "program.source",
    "program.prelude",
    "program.tests",
    "program.shot",
];

impl Expressions {
    /// Compiles those of `task`.
    ///
    /// # Errors
    /// If one is invalid, has an unknown filter, or a regular expression is invalid.
    pub fn new(task: &Task) -> Result<Self, BenchmarkError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        add_filters(&mut environment);
        let mut expressions = Self {
            task: task.name.clone(),
            environment,
            sources: BTreeMap::new(),
        };
        let mut keys: Vec<(&'static str, Option<&String>)> = vec![
            ("description", Some(&task.description)),
            ("text", Some(&task.text)),
            ("group", task.group.as_ref()),
            ("source.keep", task.source.keep.as_ref()),
            ("shots.keep", task.shots.keep.as_ref()),
        ];
        if let Some(generate) = &task.generate {
            keys.push(("generate.answers", Some(&generate.answers)));
            for pattern in &generate.exact_match.ignore {
                regex::Regex::new(pattern).map_err(|_| BenchmarkError::Task {
                    task: task.name.clone(),
                    problem: format!("`generate.exact_match.ignore` has the invalid `{pattern}`"),
                    remedy: "write a regular expression".to_owned(),
                })?;
            }
        }
        if let Some(choose) = &task.choose {
            keys.push(("choose.choices", Some(&choose.choices)));
            keys.push(("choose.gold", (!choose.all_gold).then_some(&choose.gold)));
        }
        if let Some(program) = &task.program {
            keys.push(("program.reference", Some(&program.reference)));
            keys.push(("program.source", Some(&program.source)));
            keys.push(("program.prelude", Some(&program.prelude)));
            keys.push(("program.names", Some(&program.names)));
            keys.push(("program.tests", Some(&program.tests)));
            keys.push(("program.shot", program.shot.as_ref()));
        }
        for (key, text) in keys {
            if let Some(text) = text {
                expressions.add(key, text)?;
            }
        }
        Ok(expressions)
    }

    fn add(&mut self, key: &'static str, text: &str) -> Result<(), BenchmarkError> {
        let added = match TEMPLATES.contains(&key) {
            true => self.environment.add_template_owned(key, text.to_owned()),
            false => {
                self.sources.insert(key, text.to_owned());
                self.environment.compile_expression(text).map(|_| ())
            }
        };
        let checked = added.and_then(|()| self.check_filters(text));
        checked.map_err(|error| BenchmarkError::Task {
            task: self.task.clone(),
            problem: format!("`{key}` is invalid ({})", words(&error)),
            remedy: "correct the template or expression".to_owned(),
        })
    }

    /// Unknown filters are errors when an expression is used, which is too late.
    fn check_filters(&self, text: &str) -> Result<(), Error> {
        let names = regex::Regex::new(r"\|\s*([a-z_]+)")
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
        for name in names.captures_iter(text) {
            if !self.has_filter(&name[1]) {
                let problem = format!("unknown filter {}", &name[1]);
                return Err(Error::new(ErrorKind::UnknownFilter, problem));
            }
        }
        Ok(())
    }

    fn has_filter(&self, name: &str) -> bool {
        let probe = format!("{{{{ '' | {name} }}}}");
        let rendered = self.environment.render_str(&probe, ());
        !rendered.is_err_and(|error| matches!(error.kind(), ErrorKind::UnknownFilter))
    }

    /// The template of `key` for the fields of a record.
    ///
    /// # Errors
    /// What is missing or of another type.
    pub fn render(&self, key: &str, record: &Json) -> Result<String, String> {
        let template = self.environment.get_template(key);
        let rendered = template.and_then(|template| template.render(record));
        rendered.map_err(|error| format!("`{key}`: {}", words(&error)))
    }

    /// Whether the task has `key`.
    pub fn has(&self, key: &str) -> bool {
        self.sources.contains_key(key) || self.environment.get_template(key).is_ok()
    }

    fn value(&self, key: &str, record: &Json) -> Result<Value, String> {
        let source = self.sources.get(key).map_or("", String::as_str);
        let evaluated = self
            .environment
            .compile_expression(source)
            .and_then(|expression| expression.eval(record));
        evaluated.map_err(|error| format!("`{key}`: {}", words(&error)))
    }

    /// The texts of an expression: a text, or a list of texts and numbers.
    ///
    /// # Errors
    /// What is missing or of another type.
    pub fn texts(&self, key: &str, record: &Json) -> Result<Vec<String>, String> {
        let value = self.value(key, record)?;
        if let Some(text) = value.as_str() {
            return Ok(vec![text.to_owned()]);
        }
        let list = value
            .try_iter()
            .map_err(|error| format!("`{key}`: {}", words(&error)))?;
        list.map(|value| match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None if value.is_number() => Ok(value.to_string()),
            None => Err(format!("`{key}`: is not a list of texts")),
        })
        .collect()
    }

    /// The whole number of an expression.
    ///
    /// # Errors
    /// What is missing or of another type.
    pub fn number(&self, key: &str, record: &Json) -> Result<usize, String> {
        let value = self.value(key, record)?;
        usize::try_from(value).map_err(|_| format!("`{key}`: is not a whole number from 0"))
    }

    /// Whether an expression is true.
    ///
    /// # Errors
    /// What is missing or of another type.
    pub fn truth(&self, key: &str, record: &Json) -> Result<bool, String> {
        Ok(self.value(key, record)?.is_true())
    }
}

/// The message of a template's error in one line.
fn words(error: &Error) -> String {
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    detail.lines().next().unwrap_or_default().to_owned()
}

fn invalid(problem: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

fn add_filters(environment: &mut Environment) {
    environment.add_filter("strip", |text: String| python_strip(&text).to_owned());
    environment.add_filter("strip_start", |text: String| {
        text.trim_start_matches(is_python_space).to_owned()
    });
    environment.add_filter("question_mark", |text: String| match text.ends_with('?') {
        true => text,
        false => text + "?",
    });
    environment.add_filter("before", |text: String, end: String| {
        text.split(end.as_str())
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    environment.add_filter("position", |list: Value, value: Value| {
        let mut place = list.try_iter()?;
        place
            .position(|other| other == value)
            .ok_or_else(|| invalid(format!("{value} is not in the list")))
    });
    environment.add_filter("python_list", |text: String| {
        python_list(&text).ok_or_else(|| invalid("is not a list literal of Python".to_owned()))
    });
    environment.add_filter("json_list", |value: Value| match value.as_str() {
        Some(text) => serde_json::from_str::<Vec<String>>(text)
            .map(Value::from)
            .map_err(|error| invalid(format!("is not a list in JSON ({error})"))),
        None => Ok(value),
    });
    environment.add_filter("without_extensions", |list: Vec<String>| {
        let mut sorted = list;
        sorted.sort();
        let mut kept: Vec<String> = Vec::new();
        for text in sorted {
            if !kept
                .last()
                .is_some_and(|last| text.starts_with(last.as_str()))
            {
                kept.push(text);
            }
        }
        kept
    });
    environment.add_filter("capitalise", |text: String| python_capitalised(&text));
    environment.add_filter("capitalise_last", |text: String| {
        crate::text::capitalised_last(&text)
    });
    environment.add_filter("hellaswag", |text: String| crate::text::hellaswag(&text));
    environment.add_filter("definitions", |code: String| {
        crate::text::definitions(&code)
    });
    environment.add_filter("unix_lines", |text: String| text.replace("\r\n", "\n"));
}
