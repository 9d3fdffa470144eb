//! Where each node lies in the text of a held file.
//!
//! The list of nodes has one entry of fixed size a node, in the order of the text, so that the
//! children of a node are found without reading it. The index from ids to nodes is a hash table in
//! buckets. Both are kept in pieces: a read takes a piece or two, however large the file is.

use crate::walk::{Children, Flow, Member, Visitor};

/// How many nodes a piece of the list holds.
pub(super) const NODES_A_PIECE: u32 = 2048;
/// About how many ids a bucket holds.
const IDS_A_BUCKET: u32 = 2048;
/// A file with more nodes than this is not held: each costs 44 bytes of memory while it comes in.
pub(super) const MOST_NODES: usize = 2_000_000;
const NODE_SIZE: usize = 32;
const ID_SIZE: usize = 12;

/// Where a node lies. Offsets are counted from its `{`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Where its `{` stands in the text.
    pub(super) at: u64,
    /// How many bytes it has.
    pub(super) length: u32,
    /// Where the member before its `children` ends.
    pub(super) cut: u32,
    /// Where the `[` of its `children` stands.
    pub(super) list: u32,
    /// The end of its `children`; 0 when it has none.
    pub(super) list_end: u32,
    /// The node that it lies in; its own number at the root.
    pub(super) parent: u32,
    /// How many nodes it is, with all that are in it.
    pub(super) count: u32,
}

impl Node {
    pub(super) const fn end(&self) -> u64 {
        self.at + self.length as u64
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.at.to_le_bytes());
        for number in [self.length, self.cut, self.list, self.list_end, self.parent, self.count] {
            to.extend(number.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk::<8>()?;
        let mut numbers = rest.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number));
        let mut next = || numbers.next();
        Some(Self {
            at: u64::from_le_bytes(*at),
            length: next()?,
            cut: next()?,
            list: next()?,
            list_end: next()?,
            parent: next()?,
            count: next()?,
        })
    }
}

/// The entry of a node in its piece of the list.
pub(super) fn node_in(piece: &[u8], number: u32) -> Option<Node> {
    let place = usize::try_from(number % NODES_A_PIECE).ok()?;
    Node::read(piece.get(place * NODE_SIZE..(place + 1) * NODE_SIZE)?)
}

/// The nodes whose id may be this one, from the id's bucket.
pub(super) fn numbers_in(bucket: &[u8], id: &str) -> Vec<u32> {
    let wanted = hash(id.as_bytes()).to_le_bytes();
    let entry = |entry: &[u8; ID_SIZE]| {
        let (hash, number) = entry.split_first_chunk::<8>()?;
        let number = number.first_chunk::<4>()?;
        (*hash == wanted).then(|| u32::from_le_bytes(*number))
    };
    bucket.as_chunks::<ID_SIZE>().0.iter().filter_map(entry).collect()
}

/// In which bucket an id is, when there are two to the power of `bits`.
pub(super) fn bucket_of(id: &str, bits: u32) -> u32 {
    bucket(hash(id.as_bytes()), bits)
}

fn bucket(hash: u64, bits: u32) -> u32 {
    u32::try_from(hash.unbounded_shr(64 - bits)).unwrap_or_default()
}

/// FNV-1a with the last step of `MurmurHash3`: the same in every process and version.
fn hash(bytes: &[u8]) -> u64 {
    let mut sum = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        sum = (sum ^ (sum >> 33)).wrapping_mul(factor);
    }
    sum ^ (sum >> 33)
}

/// Writes the index while a file comes in.
#[derive(Debug, Default)]
pub(super) struct Indexer {
    nodes: Vec<Node>,
    ids: Vec<(u64, u32)>,
    open: Vec<u32>,
    /// Members beside the document: name, begin and end.
    pub(super) beside: Vec<(String, u64, u64)>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Indexer {
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// How many bits of its hash say in which bucket an id is.
    pub(super) fn bits(&self) -> u32 {
        let buckets = u32::try_from(self.ids.len()).unwrap_or(u32::MAX).div_ceil(IDS_A_BUCKET);
        buckets.next_power_of_two().trailing_zeros()
    }

    /// The list of nodes, in pieces.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Vec<u8>> {
        let write = |nodes: &[Node]| {
            let mut piece = Vec::with_capacity(nodes.len() * NODE_SIZE);
            for node in nodes {
                node.write(&mut piece);
            }
            piece
        };
        self.nodes.chunks(NODES_A_PIECE as usize).map(write)
    }

    /// The buckets of ids that hold any, with their numbers.
    pub(super) fn ids(&mut self) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let bits = self.bits();
        // Stable: of two nodes with the same id the first one is found.
        self.ids.sort_by_key(|(hash, _)| *hash);
        self.ids.chunk_by(move |(a, _), (b, _)| bucket(*a, bits) == bucket(*b, bits)).map(move |entries| {
            let number = entries.first().map_or(0, |(hash, _)| bucket(*hash, bits));
            let write = |(hash, node): &(u64, u32)| [&hash.to_le_bytes()[..], &node.to_le_bytes()].concat();
            (number, entries.iter().flat_map(write).collect())
        })
    }

    fn innermost(&mut self) -> Option<(u32, &mut Node)> {
        let number = *self.open.last()?;
        Some((number, self.nodes.get_mut(number as usize)?))
    }
}

impl Visitor for Indexer {
    fn open(&mut self, at: u64) {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let parent = self.open.last().copied().unwrap_or(number);
        self.open.push(number);
        self.nodes.push(Node { at, parent, ..Node::default() });
    }

    fn member(&mut self, _member: Member, _key: &[u8], value: &[u8]) -> Flow {
        let number = self.open.last().copied().unwrap_or_default();
        let plain = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        match plain.filter(|id| memchr::memchr(b'\\', id).is_none()) {
            Some(id) => self.ids.push((hash(id), number)),
            None => {
                if let Ok(id) = serde_json::from_slice::<String>(value) {
                    self.ids.push((hash(id.as_bytes()), number));
                }
            }
        }
        Flow::Continue
    }

    fn children(&mut self, list: Children) {
        if let Some((_, node)) = self.innermost() {
            let at = node.at;
            let from_node = |offset: u64| u32::try_from(offset - at).unwrap_or(u32::MAX);
            (node.cut, node.list, node.list_end) =
                (from_node(list.after), from_node(list.begin), from_node(list.end));
        }
    }

    fn close(&mut self, end: u64) {
        let count = self.nodes.len();
        if let Some((number, node)) = self.innermost() {
            node.length = u32::try_from(end - node.at).unwrap_or(u32::MAX);
            node.count = u32::try_from(count).unwrap_or(u32::MAX) - number;
        }
        self.open.pop();
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        let text = || serde_json::from_slice(value).ok();
        match key {
            b"name" => self.name = text(),
            b"version" => self.version = text(),
            b"lastModified" => self.last_modified = text(),
            _ => {}
        }
    }

    fn lies(&mut self, key: &[u8], begin: u64, end: u64) {
        self.beside.push((String::from_utf8_lossy(key).into_owned(), begin, end));
    }

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        member == Member::Id
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        matches!(key, b"name" | b"version" | b"lastModified")
    }
}
