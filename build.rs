//! Puts the functions that run between the start and the first listing side by side.
//!
//! The system brings a program into memory in large pieces, each for a single function that is needed
//! of it. What a start needs is a tenth of the program and lies all over it: with those functions
//! together, a waiting server holds 4 MB less. `packaging/startup-functions` makes the list.

// This is how a build script talks to cargo.
#![allow(clippy::print_stdout)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const LIST: &str = "packaging/startup-functions.txt";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={LIST}");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("PROFILE", "release") {
        return;
    }
    let (Ok(functions), Some(folder)) = (fs::read_to_string(LIST), env::var_os("OUT_DIR").map(PathBuf::from))
    else {
        return;
    };
    let script = folder.join("startup.ld");
    if fs::write(&script, linker_script(&functions)).is_ok() && is_understood(&folder, &script) {
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
}

/// One section for them all, before all others. A name in the list ends before its hash, which changes
/// with the compiler and with each dependency.
fn linker_script(functions: &str) -> String {
    let patterns: Vec<String> =
        functions.lines().map(|name| format!("    *(.text.{}*)\n", name.replace('$', "?"))).collect();
    format!("SECTIONS {{\n  .text.startup_first : {{\n{}  }}\n}}\nINSERT BEFORE .text;\n", patterns.concat())
}

/// Whether the linker in use takes such a script. Where it does not, the program is only larger in
/// memory.
fn is_understood(folder: &Path, script: &Path) -> bool {
    let (source, probe) = (folder.join("probe.rs"), folder.join("probe"));
    let Some(rustc) = env::var_os("RUSTC").filter(|_| fs::write(&source, "fn main() {}").is_ok()) else {
        return false;
    };
    let mut command = Command::new(rustc);
    command.arg(&source).arg("-o").arg(&probe);
    command.arg("--target").arg(env::var_os("TARGET").unwrap_or_default());
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    command.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.arg(format!("-Clinker={linker}"));
    }
    command.arg(format!("-Clink-arg=-Wl,-T,{}", script.display()));
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
