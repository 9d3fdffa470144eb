//! Tells the linker to lay the functions of a start side by side, and after them those of usual calls
//! (release builds for Linux).
//!
//! The kernel maps a program's file 64 KB around every page that is touched. Where the compiler leaves
//! them, the functions of a start touch half of the program; side by side they are a tenth of it.
//! `src/link-order.txt` lists them by their mangled names; `benches/link-order` writes it anew. A linker
//! that does not take the order links as it always does.
#![allow(clippy::print_stdout)] // Cargo reads there what a build script has to say.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const LIST: &str = "src/link-order.txt";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={LIST}");
    if variable("PROFILE") != "release" || variable("CARGO_CFG_TARGET_OS") != "linux" {
        return Ok(());
    }
    let folder = PathBuf::from(variable("OUT_DIR"));
    let script = folder.join("link-order.ld");
    fs::write(&script, linker_script(&fs::read_to_string(LIST)?))?;
    let argument = format!("-Wl,-T,{}", script.display());
    if links_with(&argument, &folder)? {
        println!("cargo:rustc-link-arg-bins={argument}");
    } else {
        println!("cargo:warning=this linker does not order functions: the program will need more memory");
    }
    Ok(())
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// Each part of the list as a section of its own before all other code, in the language of GNU ld and LLD.
fn linker_script(list: &str) -> String {
    let mut script = "SECTIONS {\n".to_owned();
    let mut is_open = false;
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split([' ', ']']).next()) {
            script += if is_open { "}\n" } else { "" };
            script += &format!(".text.{name} : {{\n");
            is_open = true;
        } else {
            // What the compiler takes for cold, as the making of an error, has another prefix.
            script += &format!("*(\".text.{line}\" \".text.unlikely.{line}\")\n");
        }
    }
    script + "}\n} INSERT BEFORE .text;\n"
}

/// Whether an empty program can be linked so, with the compiler, the linker and the flags of this build.
fn links_with(argument: &str, folder: &Path) -> io::Result<bool> {
    let source = folder.join("empty.rs");
    fs::write(&source, "fn main() {}\n")?;
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.arg(&source).args(["--target", &variable("TARGET"), "--edition", "2024", "-o"]);
    rustc.arg(folder.join("empty")).args(["-C", &format!("link-arg={argument}")]);
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={}", linker.display()));
    }
    let status = rustc.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    Ok(status.success())
}
