use figma_mcp::table::{self, args::Defaults, definition::definition};

#[test]
fn dump() {
    let bpe = tiktoken_rs::o200k_base().unwrap();
    let mut all = 0;
    for set in table::TOOLSETS {
        let mut sum = 0;
        for tool in set.tools {
            let text = definition(tool, &Defaults::default()).to_string();
            let n = bpe.encode_ordinary(&text).len();
            println!("{n:5} {}", tool.name);
            sum += n;
        }
        println!("== {} {sum}", set.name);
        all += sum;
    }
    println!("all {all}");
    for n in [
        "figma_file_variables_update",
        "figma_file_comment_create",
        "figma_library_analytics_style_actions_get",
    ] {
        println!("{:#}", definition(table::find(n).unwrap(), &Defaults::default()));
    }
}
