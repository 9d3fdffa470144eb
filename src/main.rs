//! Starts the command line.
fn main() -> std::process::ExitCode {
    figma_mcp::cli::main()
}
