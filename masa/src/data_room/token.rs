//! `masa data-room token`: who may ask the data room what.

use super::{settings, time_of};
use anyhow::Context;
use clap::{Args, Subcommand};
use masa_data_room::Tenant;
use masa_data_room::api::Scope;
use masa_links::clock;
use masa_v2x_proto::time::Timestamp;
use std::path::PathBuf;

/// Make, list and revoke the tokens of the API; a running data room knows within a second.
#[derive(Debug, Args)]
pub(super) struct TokenCommand {
    /// The data room's configuration file; absent: the tokens in ./data-room.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token and print it: only a hash of it is kept.
    Create {
        /// Its name, as audit records show it.
        #[arg(long)]
        name: String,
        /// Whose data it sees.
        #[arg(long, default_value = "city")]
        tenant: String,
        /// What it may do: read:traffic, read:personal, write:alerts, admin; may be repeated.
        #[arg(long, required = true, value_parser = scope_of)]
        scope: Vec<Scope>,
        /// When it ceases to be valid, RFC 3339; absent: never.
        #[arg(long, value_name = "TIME", value_parser = time_of)]
        expires: Option<Timestamp>,
    },
    /// Print the tokens there are.
    List,
    /// Make a token invalid.
    Revoke {
        /// Its name.
        name: String,
    },
}

fn scope_of(name: &str) -> Result<Scope, String> {
    let known = || Scope::ALL.map(Scope::name).join(", ");
    Scope::from_name(name).ok_or_else(|| format!("expected one of {}", known()))
}

impl TokenCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let tokens = settings(self.config.as_deref())?.api.tokens()?;
        match self.action {
            Action::Create { name, tenant, scope, expires } => {
                let tenant = Tenant::new(tenant).context("--tenant")?;
                let scopes = scope.into_iter().collect();
                println!("{}", tokens.create(&name, tenant, scopes, clock::now(), expires)?);
            }
            Action::List => {
                for token in tokens.list()? {
                    let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.name()).collect();
                    println!("{}  {}  {}", token.name, token.tenant, scopes.join(" "));
                }
            }
            Action::Revoke { name } => tokens.revoke(&name)?,
        }
        Ok(())
    }
}
