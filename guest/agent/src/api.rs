//! The wire contract, as generated from `podvm/agent/v1/agent.proto`.
#![allow(clippy::all, clippy::pedantic, missing_docs)]

tonic::include_proto!("podvm.agent.v1");
