//! The prompts.

use super::{Argument, Row, Step, Values};

const FILE: Argument = Argument {
    name: "file_key",
    description: "File key, or any Figma address of the file",
    is_required: true,
    default: "",
    values: Values::File,
};

const NODE: Argument = Argument {
    name: "node_id",
    description: "Node id such as 1:2; an address in `file_key` can say it as well",
    is_required: true,
    default: "",
    values: Values::Node,
};

/// A step that takes no tool, or only the prompt's own.
const fn step(text: &'static str) -> Step {
    Step { tool: None, text }
}

/// A step that takes another tool.
const fn with(tool: &'static str, text: &'static str) -> Step {
    Step { tool: Some(tool), text }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "implement_design",
        title: "Implement a design",
        description: "Builds a frame or component as code that fits the project at hand, then compares the two.",
        arguments: &[
            FILE,
            NODE,
            Argument {
                name: "target",
                description: "What to build it with, such as React with Tailwind; default: what the project uses",
                is_required: false,
                default: "what this project already uses",
                values: Values::Any(&[
                    "React with Tailwind",
                    "React with CSS modules",
                    "Vue",
                    "Svelte",
                    "SwiftUI",
                    "Jetpack Compose",
                    "Flutter",
                    "HTML and CSS",
                ]),
            },
        ],
        tool: "figma_handoff_get",
        opening: "Implement the Figma node {node_id} of file {file_key} with {target}.",
        steps: &[
            step(
                "Call `figma_handoff_get` with `file_key` \"{file_key}\" and `node_id` \"{node_id}\". One answer has the layout, texts, paints, components with their properties, variables, interactions, links for developers, open comments and a picture. It costs two scarce tier 1 calls at most; further questions about the same file cost none.",
            ),
            with(
                "figma_design_context_get",
                "Where it says that something was folded and you need it, call `figma_design_context_get` for those nodes as the fold line says.",
            ),
            step(
                "Before you write code, look at the project: framework, component library, design tokens, file layout, names. Reuse a component where one matches by name, by its properties or by a developer link. Do not add a dependency without need.",
            ),
            step(
                "Take sizes, gaps and alignment from the layout words: flex rows and columns become flex, hug and fill stay hug and fill, fixed sizes only where the design fixes them. Use tokens for variables and styles, by their official names; a name marked as inferred is a guess from a value: use the project's token of that value, or the value.",
            ),
            with(
                "figma_images_download",
                "Get icons and pictures with `figma_images_download`, all of one `format` in one call: svg for vectors, png with `scale` 2 for what is drawn, `fills` for the photographs themselves. Do not redraw them by hand and do not put a placeholder where the design has an image.",
            ),
            step(
                "Build every variant and state that is used, every text exactly as given, and each interaction that is listed. Keep it accessible: real buttons, links, labels and headings, and enough contrast.",
            ),
            with(
                "figma_screenshot_get",
                "Render what you built and compare it with the picture (`figma_screenshot_get` shows details larger): layout, spacing, colours, type. Correct what differs.",
            ),
            step(
                "Say at the end what was built, what differs from the design and why, and which open comments bear on it.",
            ),
        ],
    },
    Row {
        name: "review_comments",
        title: "Review comments",
        description: "Goes through the open comments of a file: what is asked, of whom, and what to do about it.",
        arguments: &[
            FILE,
            Argument {
                name: "group_by",
                description: "page, frame or author; default frame",
                is_required: false,
                default: "frame",
                values: Values::One(&["page", "frame", "author"]),
            },
            Argument {
                name: "since",
                description: "Only threads with something new since this day, such as 2026-01-31; default: all",
                is_required: false,
                default: "the beginning",
                values: Values::Any(&[]),
            },
        ],
        tool: "figma_comments_digest_get",
        opening: "Review the open comments of Figma file {file_key} since {since}.",
        steps: &[
            step(
                "Call `figma_comments_digest_get` with `file_key` \"{file_key}\" and `group_by` \"{group_by}\"; pass `since` only if a day is named above. Go on with `offset` until you have all threads.",
            ),
            with(
                "figma_design_context_get",
                "Where a comment makes sense only with the design before you, read the node that it is pinned to with `figma_design_context_get`, several nodes in one call.",
            ),
            with(
                "figma_screenshot_get",
                "Where it is about how something looks, see it with `figma_screenshot_get`.",
            ),
            step(
                "For each thread say in a line: what is asked, by whom and when, whether a reply settles it, and what is left to do: a change to the design, a change to the code, a decision, or nothing. Quote the words that matter.",
            ),
            step(
                "Sort what is left to do by what blocks others first. Name contradictions between threads, and questions that nobody answered.",
            ),
            with(
                "figma_file_comment_create",
                "Do not reply in the file unless the user asks for it; then show the text first and post it with `figma_file_comment_create`, whose `comment_id` is that of the thread's first comment.",
            ),
        ],
    },
    Row {
        name: "audit_design_system",
        title: "Audit the design system",
        description: "Checks how a file uses its design system: detached or local components, raw values, unused and near-duplicate styles.",
        arguments: &[
            FILE,
            Argument {
                name: "page",
                description: "Only this page, by name or id; default: the whole file",
                is_required: false,
                default: "every page",
                values: Values::Page,
            },
        ],
        tool: "figma_design_context_get",
        opening: "Audit how Figma file {file_key} uses its design system, on {page}.",
        steps: &[
            step(
                "Call `figma_design_context_get` with `file_key` \"{file_key}\" and `depth` 2 for the pages and their frames, then with the `node_ids` of those that matter, several in one call. It reads the file once; all further reads of it are free.",
            ),
            with(
                "figma_component_get",
                "Where components come from a library, `figma_component_get` with the publish `key` of one of them names the library's file; the keys stand under components in the file's JSON.",
            ),
            with(
                "figma_file_components_list",
                "List what the library offers: `figma_file_components_list` with the `file_key` of the library's own file.",
            ),
            with(
                "figma_file_styles_list",
                "List its styles with `figma_file_styles_list` and the same `file_key`.",
            ),
            with(
                "figma_file_variables_local_get",
                "If the token may (Enterprise), `figma_file_variables_local_get` has the variables with their values in each mode.",
            ),
            with(
                "figma_nodes_search",
                "Use `figma_nodes_search` with `file_key` \"{file_key}\" to count (`page` keeps to one page): instances by `component`, users of a style by `style`, of a variable by `variable`, and frames whose names are those of components but whose type is not INSTANCE (detached copies).",
            ),
            step(
                "Report, each with counts and node ids: colours, type, spacing and radii that are raw values where a variable or style with that value exists; near duplicates (colours or sizes that hardly differ); local components that repeat library ones; detached instances; overrides that undo what the component is; styles and components that nothing uses; names that break the file's own pattern.",
            ),
            step(
                "Separate what is certain from what is a guess; names that are marked as inferred are guesses. Put the ten changes that help most first, each with its node ids.",
            ),
        ],
    },
    Row {
        name: "sync_tokens",
        title: "Sync design tokens",
        description: "Brings a project's design tokens in line with a file's variables and styles.",
        arguments: &[
            FILE,
            Argument {
                name: "format",
                description: "css, tailwind, dtcg or json; default: what the project uses",
                is_required: false,
                default: "the format that this project already uses",
                values: Values::Any(&["css", "tailwind", "dtcg", "json"]),
            },
        ],
        tool: "figma_design_context_get",
        opening: "Bring this project's design tokens in line with Figma file {file_key}, in {format}.",
        steps: &[
            step(
                "Find the project's tokens: where they are defined, how they are named, which modes (light, dark, brands) there are, and what is generated from them.",
            ),
            with(
                "figma_file_variables_local_get",
                "Call `figma_file_variables_local_get` with `file_key` \"{file_key}\": names, types, values by mode, aliases, code syntax. It needs the Enterprise plan and the scope `file_variables:read`.",
            ),
            step(
                "If that is refused, say so, and work from `figma_design_context_get`: it names variables where they are used. Names marked as inferred are guesses: match them by value, and never introduce one as a token's name without asking.",
            ),
            with(
                "figma_file_styles_list",
                "Add colour, text, effect and grid styles: `figma_file_styles_list` for what is published; their values stand where they are used.",
            ),
            step(
                "Compare: tokens that are new, changed, renamed (same value, other name), removed, and those that differ in one mode only. Keep aliases as references, not as copies. Do not delete a token that the code uses: mark it.",
            ),
            step(
                "Show the differences as a table and ask before you write, unless the user has said to go ahead. Then change the sources, run the project's generator and its tests, and say what is left.",
            ),
        ],
    },
];
