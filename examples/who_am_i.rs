//! What a program with AWS's SDK for Rust has to do for a profile that `vault configure` wrote: name it. And beside an endpoint of
//! `vault exec --server`: nothing. Reads names of profiles, `-` for none, and says who AWS says each is, a line for a line:
//! `echo prod | cargo run --example who_am_i`.

use std::collections::HashMap;
use std::io::{self, BufRead};

use aws_config::BehaviorVersion;
use aws_sdk_sts::Client;
use aws_sdk_sts::error::DisplayErrorContext;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Kept, so that it is the client that notices when a session is over.
    let mut clients = HashMap::new();
    for name in io::stdin().lock().lines() {
        let name = name?;
        let client = clients.entry(name.clone()).or_insert_with(|| runtime.block_on(client(name)));
        match runtime.block_on(client.get_caller_identity().send()) {
            Ok(identity) => println!("{}", identity.arn().unwrap_or_default()),
            Err(error) => println!("{}", DisplayErrorContext(error).to_string().replace('\n', " ")),
        }
    }
    Ok(())
}

async fn client(name: String) -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    let config = if name == "-" { config } else { config.profile_name(name) };
    Client::new(&config.load().await)
}
