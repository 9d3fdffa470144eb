//! What variables are called: asked of Figma once, and where it does not say, concluded.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{App, source};
use crate::{
    auth::{Caller, Fingerprint},
    design::{
        context::{Origin, VariableNames},
        naming::{Uses, Variable, Variables, infer, official},
    },
    error::{Error, Result},
    rest::held::Provenance,
    table::{self, Tool, args::Args},
};

/// The tool whose endpoint lists variables.
const LIST: &str = "figma_file_variables_local_get";
/// How long a refusal is remembered: scopes and plans change rarely, and only by people.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How long names are: they change with the file, but a name that is a little old is still a name.
const KNOWN: Duration = Duration::from_secs(600);
/// For how many files.
const MOST: usize = 64;

/// For how many files it is remembered what their variables' uses suggest.
const MOST_INFERRED: usize = 8;

/// What is known of files' variables, for each caller.
#[derive(Debug, Default)]
pub(super) struct Memory {
    said: Mutex<VecDeque<Remembered>>,
    inferred: Mutex<VecDeque<(State, Arc<Variables>)>>,
}

/// A caller's file as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    caller: Fingerprint,
    file_key: String,
    version: Option<String>,
    fetched_at: u64,
}

impl State {
    fn of(caller: &Caller, file_key: &str, provenance: &Provenance) -> Self {
        Self {
            caller: caller.fingerprint().clone(),
            file_key: file_key.to_owned(),
            version: provenance.version.clone(),
            fetched_at: provenance.fetched_at,
        }
    }
}

#[derive(Debug)]
struct Remembered {
    caller: Fingerprint,
    /// Every file, where the refusal is about the token.
    file_key: Option<String>,
    since: Instant,
    said: Result<Variables>,
}

impl Memory {
    fn find(&self, caller: &Fingerprint, file_key: &str) -> Option<Result<Variables>> {
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.since.elapsed() < if one.said.is_ok() { KNOWN } else { REMEMBERED });
        let is_it = |one: &&Remembered| {
            one.caller == *caller && one.file_key.as_deref().is_none_or(|known| known == file_key)
        };
        all.iter().rev().find(is_it).map(|one| one.said.clone())
    }

    /// What Figma said lately to this caller of any file. A library's own list names its variables also
    /// where the file that uses them may not be asked.
    fn all(&self, caller: &Fingerprint) -> Variables {
        let all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = all.iter().filter(|one| one.caller == *caller && one.since.elapsed() < KNOWN);
        let lists = mine.filter_map(|one| one.said.as_ref().ok());
        // By key: the ids of two files have nothing to do with each other.
        let keyed = lists.flat_map(BTreeMap::values).filter(|variable| !variable.key.is_empty());
        keyed.map(|variable| (format!("VariableID:{}/0:0", variable.key), variable.clone())).collect()
    }

    fn inferred(&self, state: &State) -> Option<Arc<Variables>> {
        let all = self.inferred.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(known, _)| known == state).map(|(_, inferred)| inferred.clone())
    }

    fn keep_inferred(&self, state: State, inferred: Variables) -> Arc<Variables> {
        let inferred = Arc::new(inferred);
        let mut all = self.inferred.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| *known != state);
        all.push_back((state, inferred.clone()));
        if all.len() > MOST_INFERRED {
            all.pop_front();
        }
        inferred
    }

    fn keep(&self, caller: &Caller, file_key: &str, said: Result<Variables>) {
        let file_key = match &said {
            Err(Error::MissingScope { .. }) => None,
            // What may be otherwise in a moment is asked for again.
            Err(Error::PlanTooSmall { .. } | Error::NoAccess { .. } | Error::WrongFileType { .. })
            | Ok(_) => Some(file_key.to_owned()),
            Err(_) => return,
        };
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back(Remembered {
            caller: caller.fingerprint().clone(),
            file_key,
            since: Instant::now(),
            said,
        });
        if all.len() > MOST {
            all.pop_front();
        }
    }
}

/// Names, and what has to be said of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What each variable is called that is used.
    pub(super) variables: Variables,
    /// Why some are not official.
    pub(super) note: Option<String>,
}

/// What Figma said of a file's variables lately. No call.
pub(super) fn known(app: &App, caller: &Caller, file_key: &str) -> Option<Variables> {
    app.variables.find(caller.fingerprint(), file_key)?.ok()
}

impl Names {
    /// For a description.
    pub(super) fn for_design(&self) -> VariableNames {
        let origin = |one: &Variable| if one.is_official { Origin::Official } else { Origin::Inferred };
        let named = self.variables.iter().map(|(id, one)| (id.clone(), (one.name.clone(), origin(one))));
        VariableNames(named.collect())
    }
}

/// What these variables are called: officially where the credential may ask (one tier 2 call, unless it
/// was made lately), else as was learned, or as their uses in the held file suggest.
pub(super) async fn name(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    file_key: &str,
    ids: &BTreeSet<String>,
    learned: Option<Arc<Variables>>,
) -> Names {
    if ids.is_empty() {
        return Names::default();
    }
    let listed = listed(app, caller, tool, file_key).await;
    let others = app.variables.all(caller.fingerprint());
    let named = named(ids, &listed, &others, None);
    if named.variables.len() == ids.len() {
        return named;
    }
    let inferred = match learned {
        Some(learned) => Some(learned),
        None => inferred(app, caller, file_key).await,
    };
    self::named(ids, &listed, &others, inferred.as_deref())
}

/// What the uses in a held file suggest: in the whole file, not in the nodes at hand, since a variable has
/// the same name wherever it is looked at.
async fn inferred(app: &App, caller: &Caller, file_key: &str) -> Option<Arc<Variables>> {
    let held = app.rest.held(caller, file_key).await.ok()??;
    let state = State::of(caller, file_key, &held.provenance());
    if let Some(inferred) = app.variables.inferred(&state) {
        return Some(inferred);
    }
    let uses = source::walk(held, &[], Uses::default()).await.ok()?;
    conclude(app, state, uses).await
}

/// What the uses suggest in a file that has just been read as a whole: for [`name`], and for later calls.
pub(super) async fn learn(
    app: &App,
    caller: &Caller,
    file_key: &str,
    provenance: &Provenance,
    uses: Uses,
) -> Option<Arc<Variables>> {
    conclude(app, State::of(caller, file_key, provenance), uses).await
}

/// Beside the runtime: a large file has many uses.
async fn conclude(app: &App, state: State, uses: Uses) -> Option<Arc<Variables>> {
    let inferred = tokio::task::spawn_blocking(move || infer(&uses)).await.ok()?;
    Some(app.variables.keep_inferred(state, inferred))
}

/// As [`name`], for all variables of a file that has just been read.
pub(super) async fn name_all(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    file_key: &str,
    uses: &Uses,
) -> Names {
    if uses.found.is_empty() {
        return Names::default();
    }
    let ids = uses.found.keys().cloned().collect();
    let listed = listed(app, caller, tool, file_key).await;
    named(&ids, &listed, &app.variables.all(caller.fingerprint()), Some(&infer(uses)))
}

/// From the file's own list, then from those of other files. Libraries are not asked for what they have
/// published: it takes the same scope and plan as the file's own list, which has every library variable
/// that the file uses, and has no values.
fn named(
    ids: &BTreeSet<String>,
    listed: &Result<Variables>,
    others: &Variables,
    inferred: Option<&Variables>,
) -> Names {
    let own = listed.as_ref().ok().map(Index::of);
    let others = Index::of(others);
    let mut variables = Variables::new();
    for id in ids {
        let own = own.as_ref().and_then(|own| own.find(id));
        let official = own.or_else(|| others.find(id)).cloned();
        let found = official.or_else(|| inferred?.get(id).cloned());
        variables.extend(found.map(|variable| (id.clone(), variable)));
    }
    let note = note(&variables, ids.len(), listed.as_ref().err());
    Names { variables, note }
}

/// Official names, by id and by key.
struct Index<'a> {
    official: &'a Variables,
    by_key: HashMap<&'a str, &'a str>,
}

impl<'a> Index<'a> {
    fn of(official: &'a Variables) -> Self {
        let told = |one: &'a Variable| (!one.key.is_empty()).then_some(one.key.as_str());
        let keyed =
            |(id, one): (&'a String, &'a Variable)| Some((told(one).or_else(|| key(id))?, id.as_str()));
        let by_key = official.iter().filter_map(keyed).collect();
        Self { official, by_key }
    }

    /// A library's variable has the same key in every file, but not always the same number.
    fn find(&self, id: &str) -> Option<&'a Variable> {
        let twin = || key(id).and_then(|key| self.by_key.get(key)).and_then(|id| self.official.get(*id));
        self.official.get(id).or_else(twin)
    }
}

/// The key of a library's variable: `VariableID:KEY/1:2`.
fn key(id: &str) -> Option<&str> {
    Some(id.strip_prefix("VariableID:")?.split_once('/')?.0)
}

/// Why some names are not official, and where they come from.
fn note(variables: &Variables, wanted: usize, refusal: Option<&Error>) -> Option<String> {
    let inferred = variables.values().filter(|variable| !variable.is_official).count();
    let by_style =
        variables.values().filter(|one| !one.is_official && one.known_from.starts_with("the style")).count();
    let why = match refusal {
        None => "Figma's list of this file's variables does not have them".to_owned(),
        Some(error) => reason(error),
    };
    let nameless = wanted - variables.len();
    match (inferred, nameless) {
        (0, 0) => None,
        (0, _) => Some(format!("{nameless} of {wanted} variables have no name here, since {why}.")),
        (_, _) => Some(format!(
            "{inferred} of {wanted} variable names are inferred, not official, since {why}: {by_style} from the styles that carry them, {} from how they are used and their values.",
            inferred - by_style,
        )),
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::MissingScope { .. } => "the token lacks the scope `file_variables:read`".to_owned(),
        Error::PlanTooSmall { .. } => "Figma lists variables on the Enterprise plan only".to_owned(),
        Error::WrongToken { .. } => "Figma lists no variables to this kind of token".to_owned(),
        other => format!("Figma's list of variables could not be read ({other})"),
    }
}

/// A file's own list, as Figma last said it or says it now.
///
/// # Errors
/// What stands in the way of it.
pub(super) async fn listed(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    file_key: &str,
) -> Result<Variables> {
    if let Some(said) = app.variables.find(caller.fingerprint(), file_key) {
        return said;
    }
    let list = table::find(LIST).ok_or_else(|| Error::Bug { problem: format!("there is no {LIST}") })?;
    caller.check(list)?;
    let endpoint = list.endpoint().ok_or_else(|| Error::Bug { problem: format!("{LIST} calls nothing") })?;
    let args = Args::from_iter([("file_key".to_owned(), json!(file_key))]);
    let said = app.rest.call(caller, tool, endpoint, &args).await.and_then(|answer| {
        let answer: Value = serde_json::from_str(&answer.body)
            .map_err(|_| Error::BadAnswer { problem: "it is no list of variables".to_owned() })?;
        Ok(official(&answer))
    });
    app.variables.keep(caller, file_key, said.clone());
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, key: &str, name: &str) -> Variables {
        let answer = json!({ "meta": { "variables": { id: { "name": name, "key": key } } } });
        official(&answer)
    }

    fn memory(caller: &Fingerprint, file_key: &str, said: Result<Variables>) -> Remembered {
        let file_key = Some(file_key.to_owned());
        Remembered { caller: caller.clone(), file_key, since: Instant::now(), said }
    }

    #[test]
    fn a_library_that_was_listed_names_its_variables_in_other_files() {
        let (mine, theirs) = (Fingerprint::of(&["mine"]), Fingerprint::of(&["theirs"]));
        let said = VecDeque::from([
            memory(&mine, "library", Ok(listed("VariableID:1:10", "abc", "color/brand"))),
            memory(&theirs, "library", Ok(listed("VariableID:1:11", "def", "color/secret"))),
        ]);
        let memory = Memory { said: Mutex::new(said), ..Memory::default() };
        let refused =
            Err(Error::PlanTooSmall { plan: "the Enterprise plan", instead: None, message: String::new() });
        let ids = BTreeSet::from_iter(
            ["VariableID:abc/7:7", "VariableID:def/7:8", "VariableID:1:10"].map(str::to_owned),
        );
        let names = named(&ids, &refused, &memory.all(&mine), None);
        let found: Vec<(&str, &str, bool)> = names
            .variables
            .iter()
            .map(|(id, one)| (id.as_str(), one.name.as_str(), one.is_official))
            .collect();
        // A local variable of another file with the same number is another variable.
        assert_eq!(found, [("VariableID:abc/7:7", "color/brand", true)]);
        assert_eq!(
            names.note.as_deref(),
            Some(
                "2 of 3 variables have no name here, since Figma lists variables on the Enterprise plan only."
            )
        );
    }
}
