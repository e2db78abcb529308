//! Boots the agent in a real machine and speaks to it as the daemon would.

pub mod client;
pub mod image;
pub mod machine;

#[allow(clippy::all, clippy::pedantic)]
pub mod api {
    tonic::include_proto!("podvm.agent.v1");
}

/// One per test, because a broken machine is a failed test and nothing else.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
