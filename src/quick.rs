fn main() -> std::process::ExitCode {
    vault::quick()
}
