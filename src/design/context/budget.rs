//! How much is shown: as many whole nodes as fit, level by level.

use super::{Options, lines::Lines, print::Printer, structured, view::View};

/// A description within a budget.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) text: String,
    /// How many nodes are not shown.
    pub(super) folded: u64,
}

/// How long texts may be when not even a few nodes fit otherwise.
const SHORTER_TEXTS: [usize; 3] = [2000, 200, 40];

/// Describes as many of the ranked nodes as fit.
pub(super) fn fit(view: &mut View<'_>, options: &Options) -> Fitted {
    let ranked = view.ranked(options.depth.unwrap_or(u32::MAX));
    let total: u64 = view.design.roots.iter().map(|root| view.counts(*root).nodes).sum();
    let mut attempt = |count: usize, longest: usize| {
        let shown = ranked.get(..count).unwrap_or(&ranked);
        view.show_only(shown);
        let lines = Lines::of(view, options);
        let text = match options.format {
            super::Format::Tree => Printer::print(view, options, &lines, longest),
            super::Format::Json | super::Format::Yaml => structured::print(view, options, &lines, longest),
        };
        Fitted { text, folded: total.saturating_sub(shown.len() as u64) }
    };
    let fits = |fitted: &Fitted| fitted.text.len() <= options.max_bytes;
    // A line is hardly ever shorter than this, so more nodes are not worth a try at once.
    let first = ranked.len().min(options.max_bytes / 16 + 1);
    let (mut good, mut good_count, mut bad) = (None, 0, ranked.len() + 1);
    let mut count = first;
    loop {
        let fitted = attempt(count, usize::MAX);
        if fits(&fitted) {
            (good, good_count) = (Some(fitted), count);
        } else {
            bad = count;
        }
        let is_near = bad - good_count <= 1 + good_count / 64;
        if good_count == ranked.len() || is_near {
            break;
        }
        count =
            if bad > ranked.len() { (good_count * 2).min(ranked.len()) } else { good_count.midpoint(bad) };
        if count == good_count || count == 0 {
            break;
        }
    }
    if let Some(good) = good {
        return good;
    }
    for longest in SHORTER_TEXTS {
        let fitted = attempt(1, longest);
        if fits(&fitted) {
            return fitted;
        }
    }
    let mut fitted = attempt(1, SHORTER_TEXTS[2]);
    match options.format {
        super::Format::Tree => truncate(&mut fitted.text, options.max_bytes),
        // Half a document is none.
        _ => fitted.text = format!("{{\"nodes\":[],\"folded\":{total}}}"),
    }
    fitted
}

/// The last resort: whole characters, and a word about it.
fn truncate(text: &mut String, most: usize) {
    const END: &str = "…(cut)\n";
    if text.len() <= most {
        return;
    }
    let mut at = most.saturating_sub(END.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.truncate(at);
    if most > END.len() {
        text.push_str(END);
    }
}
