//! Walks the node trees in Figma's answers as they arrive, chunk by chunk, and never keeps them. Pure.
//!
//! A whole file can be hundreds of megabytes, and a reader mostly wants a third of its bytes. So the
//! [`Walker`] holds no more than the one member that it stands in, needs no recursion, and finds the
//! end of what nobody wants without looking into it. What is wanted goes to a [`Visitor`] as raw JSON.
//!
//! Facts of the wire that visitors build on: `visible: false` comes before `type` and `children`;
//! `children` come before a node's own fills and layout; `components`, `styles` and `name` come after
//! the document.

mod blocks;
mod member;
mod scan;
mod utf8;

#[cfg(test)]
pub(crate) mod oracle;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use blocks::Blocks;
pub use member::Member;
use scan::Scan;
use utf8::Utf8;

/// How deep nodes may lie in each other. The deepest design seen so far has 14 levels.
pub const DEEPEST: usize = 512;
/// The largest member that is gathered: a visitor gets it whole.
pub const LARGEST_MEMBER: usize = 32 * 1024 * 1024;

/// How many bytes the JSON value takes that begins here, which is not checked within its brackets. `None`
/// when none does, or when it has no end.
#[must_use]
pub fn value_length(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    let mut scan = Scan::of(*first)?;
    match (scan.advance(rest), scan) {
        (Some(length), _) => Some(length + 1),
        (None, Scan::Scalar) => Some(bytes.len()),
        (None, _) => None,
    }
}

/// Whether more of this node is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Nothing more of this node nor of what is in it: the next word of it is its end.
    Skip,
}

/// Where a list of children lies: offsets in the whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Children {
    /// The end of the member before it, or of the node's `{`.
    pub after: u64,
    /// Where its `[` stands.
    pub begin: u64,
    /// The offset after its `]`.
    pub end: u64,
}

/// What becomes of what a [`Walker`] meets. Nodes come in the order of the answer, each within its
/// parent's beginning and end.
pub trait Visitor {
    /// A node begins; `at` is the offset of its `{` in the whole answer.
    fn open(&mut self, at: u64);
    /// One member of the innermost open node, except its list of `children`. `key` is its name, without
    /// escapes; `value` its raw JSON: complete, valid UTF-8, but not checked within its brackets.
    fn member(&mut self, member: Member, key: &[u8], value: &[u8]) -> Flow;
    /// The innermost open node ends; `end` is the offset after its `}`.
    fn close(&mut self, end: u64);
    /// A member beside the trees: of the answer itself (`entry` is `None`), or of the entry of this id
    /// in a `nodes` map. An entry that is `null` comes as `(Some(id), b"", b"null")`.
    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]);
    /// The list of `children` of the innermost open node has ended; they were told before.
    fn children(&mut self, list: Children) {
        let _ = list;
    }
    /// Where a member of the answer itself lies, for those that are told by [`Visitor::beside`] and
    /// those that are not wanted: from `begin` to `end`.
    fn lies(&mut self, key: &[u8], begin: u64, end: u64) {
        let _ = (key, begin, end);
    }
    /// Whether [`Visitor::member`] wants members of this name; others are skipped without being gathered.
    fn wants(&self, member: Member, key: &[u8]) -> bool;
    /// The same for [`Visitor::beside`].
    fn wants_beside(&self, key: &[u8]) -> bool {
        let _ = key;
        true
    }
}

/// Reads a whole file (`document` at the top), an answer of `/nodes` (`nodes` → id → `document`), or
/// a node alone.
#[derive(Debug)]
pub struct Walker<V> {
    visitor: V,
    /// The offset of this chunk's first byte in the answer.
    offset: u64,
    /// Where the answer's `{` stands, until its first name says whether that is a node's.
    answer: Option<u64>,
    expect: Expect,
    levels: Vec<Level>,
    /// How many of the levels are nodes.
    nodes: usize,
    /// The name of the member that is being read.
    key: Vec<u8>,
    scan: Scan,
    /// What is known of the chunk around the place that is being read.
    blocks: Blocks,
    /// Where in this chunk the key or value begins that is being read; 0 when it began before.
    from: usize,
    /// What earlier chunks held of it.
    gathered: Vec<u8>,
    /// Whether the value is to be gathered.
    is_wanted: bool,
    /// Which one it is, if it is a node's.
    member: Member,
    /// Where the value begins in the answer.
    begin: u64,
    /// Where the last value or object's `{` ended.
    after: u64,
    utf8: Utf8,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// The answer's `{`.
    Answer,
    /// The first name of an object, or its end.
    FirstName,
    /// A further name.
    Name,
    /// More of a name.
    InName,
    Colon,
    Value,
    /// More of a value.
    InValue,
    /// `,` or the object's end.
    AfterValue,
    /// The first child, or the end of the list.
    FirstChild,
    Child,
    /// `,` or the end of the list.
    AfterChild,
    /// More of a node of which nothing is wanted.
    InRest,
    /// Nothing but white space.
    Nothing,
}

#[derive(Debug, PartialEq, Eq)]
enum Level {
    Answer,
    /// The map `nodes`.
    Nodes,
    /// One of its entries.
    Entry(String),
    Node,
    /// The end of the member before it, and where its `[` stands.
    Children(u64, u64),
}

impl<V: Visitor> Walker<V> {
    /// For an answer of any of the three shapes; a node alone is known by its first member.
    pub const fn new(visitor: V) -> Self {
        Self {
            visitor,
            offset: 0,
            answer: None,
            expect: Expect::Answer,
            levels: Vec::new(),
            nodes: 0,
            key: Vec::new(),
            scan: Scan::Scalar,
            blocks: Blocks::new(),
            from: 0,
            gathered: Vec::new(),
            is_wanted: false,
            member: Member::Unknown,
            begin: 0,
            after: 0,
            utf8: Utf8::new(),
        }
    }

    /// Reads the next bytes of the answer. After an error the walk is over.
    ///
    /// # Errors
    /// [`Error::BadAnswer`] when this is not the JSON that Figma sends, [`Error::TooLarge`] when one
    /// member is too large or nodes lie too deep.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        if !self.utf8.check(chunk) {
            return Err(bad("it is no UTF-8 text"));
        }
        self.from = 0;
        self.blocks.forget();
        let mut at = 0;
        while at < chunk.len() {
            at = self.step(chunk, at)?;
        }
        let is_reading = match self.expect {
            Expect::InName => true,
            Expect::InValue => self.is_wanted,
            _ => false,
        };
        if is_reading {
            self.gather(chunk, chunk.len())?;
        }
        self.offset += chunk.len() as u64;
        Ok(())
    }

    /// Who is told.
    pub const fn visitor(&self) -> &V {
        &self.visitor
    }

    /// Ends the walk.
    ///
    /// # Errors
    /// [`Error::BadAnswer`] when the answer is not complete.
    pub fn finish(self) -> Result<V> {
        if self.expect == Expect::Nothing { Ok(self.visitor) } else { Err(bad("it ends in the middle")) }
    }

    /// Reads what stands at `at`; returns where to go on.
    fn step(&mut self, chunk: &[u8], at: usize) -> Result<usize> {
        match self.expect {
            Expect::InName | Expect::InValue | Expect::InRest => self.scan_on(chunk, at),
            _ => match chunk.get(at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') | None => Ok(at + 1),
                Some(byte) => self.token(chunk, at, *byte),
            },
        }
    }

    /// One byte that is no white space and stands in no name or value.
    fn token(&mut self, chunk: &[u8], at: usize, byte: u8) -> Result<usize> {
        match (self.expect, byte) {
            (Expect::FirstName | Expect::Name, b'"') => return self.name(chunk, at),
            (Expect::Colon, b':') => self.expect = Expect::Value,
            (Expect::Value, _) => return self.value(chunk, at, byte),
            (Expect::AfterValue, b',') => self.expect = Expect::Name,
            (Expect::FirstName | Expect::AfterValue, b'}') => self.object_ends(at),
            (Expect::FirstChild | Expect::Child, b'{') => self.open(at)?,
            (Expect::AfterChild, b',') => self.expect = Expect::Child,
            (Expect::FirstChild | Expect::AfterChild, b']') => self.list_ends(at + 1),
            (Expect::Answer, b'{') => {
                self.levels.push(Level::Answer);
                self.answer = Some(self.offset + at as u64);
                self.after = self.offset + at as u64 + 1;
                self.expect = Expect::FirstName;
            }
            _ => return Err(bad("it is no valid JSON")),
        }
        Ok(at + 1)
    }

    /// The `"` of a name. Nearly always all of it is at hand, without escapes, and its value follows at
    /// once: then nothing of the automaton between them is needed.
    fn name(&mut self, chunk: &[u8], at: usize) -> Result<usize> {
        let at = match self.levels.last() {
            Some(Level::Node) => match self.members(chunk, at) {
                (at, true) => return Ok(at),
                (at, false) => at,
            },
            _ => at,
        };
        self.blocks.forget();
        let rest = chunk.get(at + 1..).unwrap_or_default();
        let end = rest.iter().take(SHORT_NAME).position(|byte| matches!(byte, b'"' | b'\\'));
        let Some((name, [b'"', after @ ..])) = end.and_then(|end| rest.split_at_checked(end)) else {
            self.start(at, Scan::Text(false));
            self.expect = Expect::InName;
            return self.scan_on(chunk, at + 1);
        };
        self.key.clear();
        self.key.extend_from_slice(name);
        self.name_is_known();
        let end = at + name.len() + 2;
        match after {
            [b':', b' ' | b'\n' | b'\r' | b'\t', ..] | [b':'] => {
                self.expect = Expect::Value;
                Ok(end + 1)
            }
            [b':', byte, ..] => self.value(chunk, end + 1, *byte),
            _ => Ok(end),
        }
    }

    /// Members of a node, from the `"` of a name on, as long as they lie in this chunk and have the form
    /// in which Figma writes them, without white space. Returns where to go on, and whether that is
    /// behind a member; if not, it is the `"` of a name that is to be read in smaller steps.
    fn members(&mut self, chunk: &[u8], mut at: usize) -> (usize, bool) {
        while let Some((name, value, end)) = self.blocks.member(chunk, at) {
            if name == b"children" && value == b"[" {
                self.levels.push(Level::Children(self.after, self.offset + (end - 1) as u64));
                self.expect = Expect::FirstChild;
                return (end, true);
            }
            let member = Member::of(name);
            if self.visitor.wants(member, name) {
                if value.len() > LARGEST_MEMBER {
                    break;
                }
                if self.visitor.member(member, name, value) == Flow::Skip {
                    self.blocks.forget();
                    self.after = self.offset + end as u64;
                    self.scan = Scan::within();
                    self.expect = Expect::InRest;
                    return (end, true);
                }
            }
            self.after = self.offset + end as u64;
            match chunk.get(end..) {
                Some([b',', b'"', ..]) => at = end + 1,
                Some([b'}', ..]) => {
                    self.node_ends(end + 1);
                    return (end + 1, true);
                }
                _ => {
                    self.expect = Expect::AfterValue;
                    return (end, true);
                }
            }
        }
        (at, false)
    }

    /// The first byte of a value: what is walked is entered, everything else is scanned.
    fn value(&mut self, chunk: &[u8], at: usize, byte: u8) -> Result<usize> {
        let key = self.key.as_slice();
        let is_wanted = match (self.levels.last(), byte) {
            (Some(Level::Node), b'[') if key == b"children" => {
                self.levels.push(Level::Children(self.after, self.offset + at as u64));
                self.expect = Expect::FirstChild;
                return Ok(at + 1);
            }
            (Some(Level::Answer | Level::Entry(_)), b'{') if key == b"document" => {
                self.open(at)?;
                return Ok(at + 1);
            }
            (Some(Level::Answer), b'{') if key == b"nodes" => {
                self.levels.push(Level::Nodes);
                self.expect = Expect::FirstName;
                return Ok(at + 1);
            }
            (Some(Level::Nodes), b'{') => {
                self.levels.push(Level::Entry(String::from_utf8_lossy(key).into_owned()));
                self.expect = Expect::FirstName;
                return Ok(at + 1);
            }
            (Some(Level::Node), _) => {
                self.member = Member::of(key);
                self.visitor.wants(self.member, key)
            }
            _ => self.visitor.wants_beside(key),
        };
        self.is_wanted = is_wanted;
        self.start(at, Scan::of(byte).ok_or_else(|| bad("it is no valid JSON"))?);
        self.begin = self.offset + at as u64;
        self.expect = Expect::InValue;
        self.scan_on(chunk, at + 1)
    }

    fn start(&mut self, at: usize, scan: Scan) {
        self.gathered.clear();
        self.from = at;
        self.scan = scan;
    }

    /// Looks for the end of the name, value or node that is being read.
    fn scan_on(&mut self, chunk: &[u8], at: usize) -> Result<usize> {
        let Some(found) = self.scan.advance(chunk.get(at..).unwrap_or_default()) else {
            return Ok(chunk.len());
        };
        let end = at + found;
        match self.expect {
            Expect::InName => self.name_ends(chunk, end)?,
            Expect::InValue => {
                self.value_ends(chunk, end)?;
                if self.expect == Expect::AfterValue && chunk.get(end) == Some(&b',') {
                    self.expect = Expect::Name;
                    return Ok(end + 1);
                }
            }
            _ => self.node_ends(end),
        }
        Ok(end)
    }

    fn gather(&mut self, chunk: &[u8], end: usize) -> Result<()> {
        whole(&mut self.gathered, chunk.get(self.from..end).unwrap_or_default(), true).map(drop)
    }

    fn name_ends(&mut self, chunk: &[u8], end: usize) -> Result<()> {
        let name = whole(&mut self.gathered, chunk.get(self.from..end).unwrap_or_default(), false)?;
        self.key.clear();
        if memchr::memchr(b'\\', name).is_some() {
            let name: String = serde_json::from_slice(name).map_err(|_| bad("it is no valid JSON"))?;
            self.key.extend_from_slice(name.as_bytes());
        } else if let [_, name @ .., _] = name {
            self.key.extend_from_slice(name);
        }
        self.name_is_known();
        Ok(())
    }

    fn name_is_known(&mut self) {
        self.expect = Expect::Colon;
        if let (Some(begin), Some(level)) = (self.answer.take(), self.levels.first_mut())
            && matches!(self.key.as_slice(), b"id" | b"type" | b"visible" | b"children")
        {
            *level = Level::Node;
            self.nodes = 1;
            self.visitor.open(begin);
        }
    }

    fn value_ends(&mut self, chunk: &[u8], end: usize) -> Result<()> {
        self.expect = Expect::AfterValue;
        self.after = self.offset + end as u64;
        if self.levels.last() == Some(&Level::Answer) {
            self.visitor.lies(&self.key, self.begin, self.after);
        }
        if !self.is_wanted {
            return Ok(());
        }
        let value = whole(&mut self.gathered, chunk.get(self.from..end).unwrap_or_default(), false)?;
        if matches!(self.scan, Scan::Scalar) && !scan::is_number_or_literal(value) {
            return Err(bad("it is no valid JSON"));
        }
        match self.levels.last() {
            Some(Level::Node) => {
                if self.visitor.member(self.member, &self.key, value) == Flow::Skip {
                    self.scan = Scan::within();
                    self.expect = Expect::InRest;
                }
            }
            Some(Level::Entry(id)) => self.visitor.beside(Some(id), &self.key, value),
            Some(Level::Nodes) => {
                self.visitor.beside(Some(&String::from_utf8_lossy(&self.key)), b"", value);
            }
            _ => self.visitor.beside(None, &self.key, value),
        }
        Ok(())
    }

    fn open(&mut self, at: usize) -> Result<()> {
        self.nodes += 1;
        if self.nodes > DEEPEST {
            return Err(Error::TooLarge {
                limit: format!("its nodes lie more than {DEEPEST} levels deep"),
                smaller: SMALLER,
            });
        }
        self.levels.push(Level::Node);
        self.expect = Expect::FirstName;
        self.after = self.offset + at as u64 + 1;
        self.visitor.open(self.offset + at as u64);
        Ok(())
    }

    fn list_ends(&mut self, end: usize) {
        let end = self.offset + end as u64;
        if let Some(Level::Children(after, begin)) = self.levels.pop() {
            self.visitor.children(Children { after, begin, end });
        }
        self.after = end;
        self.expect = Expect::AfterValue;
    }

    /// A `}` at this place ends the innermost object.
    fn object_ends(&mut self, at: usize) {
        match self.levels.last() {
            Some(Level::Node) => self.node_ends(at + 1),
            _ => self.leave(),
        }
    }

    fn node_ends(&mut self, end: usize) {
        self.nodes -= 1;
        self.after = self.offset + end as u64;
        self.visitor.close(self.after);
        self.leave();
    }

    fn leave(&mut self) {
        self.levels.pop();
        self.expect = match self.levels.last() {
            None => Expect::Nothing,
            Some(Level::Children(..)) => Expect::AfterChild,
            Some(_) => Expect::AfterValue,
        };
    }
}

/// What was gathered and this part, as one; without a copy when nothing was gathered.
fn whole<'a>(gathered: &'a mut Vec<u8>, part: &'a [u8], is_kept: bool) -> Result<&'a [u8]> {
    if gathered.len() + part.len() > LARGEST_MEMBER {
        return Err(Error::TooLarge {
            limit: format!("one member exceeds {} MB", LARGEST_MEMBER / 1024 / 1024),
            smaller: SMALLER,
        });
    }
    if gathered.is_empty() && !is_kept {
        return Ok(part);
    }
    gathered.extend_from_slice(part);
    Ok(gathered)
}

/// No name of Figma's is longer.
const SHORT_NAME: usize = 64;
const SMALLER: &str = "Ask for less: `depth` for an outline, `ids` for a part.";

fn bad(problem: &str) -> Error {
    Error::BadAnswer { problem: problem.to_owned() }
}
