//! The process that runs one filter and ends.
//!
//! It gets a line with the job and then the document on stdin, and answers in lines on stdout: one when
//! the document is read, one for each output, one at the end. It has no environment, opens no files, and
//! ends itself when its time or memory is used up.

use std::{
    io::{self, BufRead, StdinLock, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use jaq_core::{
    Compiler, Ctx, Vars, data,
    load::{self, Arena, File, Loader},
    unwrap_valr,
};
use jaq_json::Val;
use serde::Deserialize;
use serde_json::json;

use super::path;
use crate::error::foreign;

/// The hidden command under which the program runs a filter.
pub const COMMAND: &str = "filter-worker";

/// Before each line: the document is read; an output; the end; what is wrong.
pub(super) const READ: &str = "R";
pub(super) const OUTPUT: &str = "O";
pub(super) const END: &str = "E";
pub(super) const ERROR: &str = "X";
/// The exit code of a filter that did not end. The parent kills it before, unless it is gone itself.
pub(super) const OVER_TIME: i32 = 124;

/// Above the parent's limits for reading and working.
const LAST_MOMENT: Duration = Duration::from_secs(24);
/// A deep document and a recursive filter need room on the stack.
const STACK: usize = 64 * 1024 * 1024;
/// All memory that the process may have.
#[cfg(unix)]
const MEMORY: u64 = 1024 * 1024 * 1024;

/// Filters that tell what a document does not hold, or end the program.
const LEFT_OUT: &[&str] = &[
    "now",
    "localtime",
    "mktime",
    "strflocaltime",
    "halt",
    "halt_error",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "env",
    "input",
    "inputs",
];

#[derive(Deserialize)]
struct Job {
    filter: String,
    most_outputs: Option<usize>,
}

/// What is wrong with a filter: the rest of a sentence that begins with "the filter", and what to do.
struct Problem(String, String);

/// Runs the filter that stdin holds.
#[must_use]
pub fn serve() -> ExitCode {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::As, Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) });
    }
    thread::spawn(|| {
        thread::sleep(LAST_MOMENT);
        std::process::exit(OVER_TIME);
    });
    let working = thread::Builder::new().stack_size(STACK).spawn(|| {
        let outcome = work(&mut io::stdin().lock(), &mut io::stdout().lock());
        // Whoever asked may be gone; then nobody hears it.
        let _ = match outcome {
            Ok(()) => say(&mut io::stdout().lock(), END, ""),
            Err(Problem(problem, next)) => {
                let said = json!({ "problem": problem, "next": next }).to_string();
                say(&mut io::stdout().lock(), ERROR, &said)
            }
        };
        // Freeing a large document takes longer than it is worth.
        std::process::exit(0);
    });
    let _ = working.map(thread::JoinHandle::join);
    ExitCode::FAILURE
}

fn say(output: &mut impl Write, mark: &str, text: &str) -> io::Result<()> {
    output.write_all(format!("{mark}{text}\n").as_bytes()).and_then(|()| output.flush())
}

fn work(input: &mut StdinLock<'_>, output: &mut impl Write) -> Result<(), Problem> {
    let gone = |error: io::Error| Problem(format!("lost its reader: {error}"), String::new());
    let mut first = String::new();
    input.read_line(&mut first).map_err(gone)?;
    let job: Job = serde_json::from_str(&first)
        .map_err(|error| Problem(format!("did not arrive whole: {error}"), String::new()))?;
    // What is wrong with the filter itself is told before its document is read; positions are those
    // of the filter as it was given.
    compiled(&job.filter, |_| Ok(()))?;
    let (steps, rest) = path::split(&job.filter);
    let value = document(&steps, input)?;
    say(output, READ, "").map_err(gone)?;
    compiled(&rest, |filter| {
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let outputs = filter.id.run((context, value)).map(unwrap_valr);
        for (index, value) in outputs.take(job.most_outputs.unwrap_or(usize::MAX)).enumerate() {
            let value = value.map_err(|error| {
                let before = if index > 0 { format!(" after {index} outputs") } else { String::new() };
                Problem(
                    format!("failed{before}: {}", foreign(&error.to_string())),
                    "Look at what is there first (`keys`, `type`, `length`), or skip what does not fit with `?`, as in `.name?`.".to_owned(),
                )
            })?;
            say(output, OUTPUT, &json_of(&value)?).map_err(gone)?;
        }
        Ok(())
    })
}

/// What the filter works on: the whole document, or only what lies at the end of its path.
fn document(steps: &[path::Step], input: &mut impl BufRead) -> Result<Val, Problem> {
    let unreadable = |error: &dyn std::error::Error| {
        // Where the reader stood says nothing: it reads one long line.
        let error = foreign(&error.to_string());
        let error = error.split(" at line ").next().unwrap_or_default();
        Problem(
            format!("finds no such place: {error}"),
            "Look at what is there first: `keys` for the names, `type` for what it is.".to_owned(),
        )
    };
    let mut text = String::new();
    let text = if steps.is_empty() {
        input.read_to_string(&mut text).map_err(|error| unreadable(&error))?;
        text
    } else {
        match path::find(steps, input).map_err(|error| unreadable(&error))? {
            Some(found) => Box::<str>::from(found).into(),
            None => return Ok(Val::Null),
        }
    };
    jaq_json::read::parse_single(text.as_bytes()).map_err(|error| unreadable(&error))
}

/// A value as JSON. jq's values hold more than JSON does.
fn json_of(value: &Val) -> Result<String, Problem> {
    let text = value.to_string();
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(Problem(
            "gives something that JSON cannot hold (`nan`, `infinite`, bytes, or keys that are no text)"
                .to_owned(),
            "Turn it into text with `tostring`.".to_owned(),
        )),
    }
}

type Compiled = jaq_core::Filter<data::JustLut<Val>>;

/// Hands on the filter, ready to run.
fn compiled<T>(code: &str, run: impl FnOnce(&Compiled) -> Result<T, Problem>) -> Result<T, Problem> {
    let is_kept = |name: &str| !LEFT_OUT.contains(&name);
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let defs: Vec<_> = defs.filter(|def| is_kept(def.name)).collect();
    let funs = jaq_core::funs::<data::JustLut<Val>>().chain(jaq_std::funs()).chain(jaq_json::funs());
    let funs: Vec<_> = funs.filter(|(name, ..)| is_kept(name)).collect();
    let names: Vec<String> = defs
        .iter()
        .map(|def| def.name.to_owned())
        .chain(funs.iter().map(|(name, ..)| (*name).to_owned()))
        .collect();
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(&arena, File { code, path: () })
        .map_err(|errors| malformed(code, errors.into_iter().map(|(_, error)| error).next()))?;
    let filter = Compiler::default()
        .with_funs(funs)
        .compile(modules)
        .map_err(|errors| undefined(errors.into_iter().flat_map(|(_, errors)| errors).next(), &names))?;
    run(&filter)
}

const SYNTAX: &str = "Write jq, such as `.comments[] | {id, message}`, `[.. | objects | select(.type == \"TEXT\") | .characters]`, `.document.children | length`.";

fn malformed(code: &str, error: Option<load::Error<&str>>) -> Problem {
    let said = match error {
        Some(load::Error::Lex(errors)) => {
            errors.into_iter().next().map(|(expected, found)| (expected.as_str().to_owned(), found))
        }
        Some(load::Error::Parse(errors)) => {
            errors.into_iter().next().map(|(expected, found)| (expected.as_str().to_owned(), found))
        }
        Some(load::Error::Io(_)) => {
            let problem = "uses `import` or `include`, which are not here".to_owned();
            return Problem(problem, "Define what it needs in the filter itself with `def`.".to_owned());
        }
        None => None,
    };
    let Some((expected, found)) = said else {
        return Problem("is no valid jq".to_owned(), SYNTAX.to_owned());
    };
    let start = load::span(code, found).start;
    let before = code.get(..start).unwrap_or_default().chars().count();
    let near: String = code.get(start..).unwrap_or_default().chars().take(30).collect();
    let place = if near.is_empty() {
        "at its end".to_owned()
    } else {
        format!("at character {}, before `{}`", before + 1, foreign(&near))
    };
    Problem(format!("is no valid jq: {expected} is missing {place}"), SYNTAX.to_owned())
}

fn undefined(error: Option<jaq_core::compile::Error<&str>>, names: &[String]) -> Problem {
    let Some((name, what)) = error else {
        return Problem("is no valid jq".to_owned(), SYNTAX.to_owned());
    };
    let near = names
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let near = near.map(|(_, near)| format!("; did you mean `{near}`?")).unwrap_or_default();
    let name = foreign(name);
    let problem = match what {
        jaq_core::compile::Undefined::Filter(arity) if arity > 0 => {
            format!("uses `{name}` with {arity} arguments, which jq does not have here{near}")
        }
        what => format!("uses the {} `{name}`, which jq does not have here{near}", what.as_str()),
    };
    Problem(problem, SYNTAX.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(filter: &str) -> String {
        compiled(filter, |_| Ok(())).err().map(|Problem(problem, _)| problem).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_told_with_its_place() {
        let cases = [
            (".a | (", "is no valid jq: closing parenthesis is missing at its end"),
            (".a | | .b", "is no valid jq: term is missing at character 6, before `| .b`"),
            ("lenght", "uses the filter `lenght`, which jq does not have here; did you mean `length`?"),
            ("map(.a; .b)", "uses `map` with 2 arguments, which jq does not have here; did you mean `map`?"),
            ("$x", "uses the variable `$x`, which jq does not have here"),
            ("", "is no valid jq: term is missing at its end"),
            ("env", "uses the filter `env`, which jq does not have here"),
            ("$ENV", "uses the variable `$ENV`, which jq does not have here"),
            ("now", "uses the filter `now`, which jq does not have here"),
            ("input", "uses the filter `input`, which jq does not have here"),
            ("import \"x\" as x; .", "uses `import` or `include`, which are not here"),
            (".a", ""),
            ("[.. | objects | select(.name | test(\"^a\"; \"i\")) | {id}] | sort_by(.id) | .[0:3]", ""),
        ];
        let wrong: Vec<_> = cases
            .iter()
            .map(|(filter, expected)| (filter, problem(filter), *expected))
            .filter(|(_, is, should)| is != should)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn what_json_cannot_hold_is_refused() {
        let outputs = |code| {
            compiled(code, |filter| {
                let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
                let values = filter.id.run((context, Val::Null)).map(unwrap_valr);
                values.map(|value| json_of(&value.unwrap())).collect::<Result<Vec<_>, _>>()
            })
        };
        assert_eq!(outputs("1.50, \"a\\u0000\"").map_err(|p| p.0).unwrap(), ["1.50", "\"a\\u0000\""]);
        assert!(outputs("nan").is_err());
        assert!(outputs("{(1|tostring): infinite}").is_err());
    }
}
