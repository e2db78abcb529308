//! What the agent tells its copies, and what they answer. Never leaves the machine; prost only because it is there anyway.

use crate::api;

/// Everything that process 1 of a container needs to know.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Plan {
    #[prost(message, optional, tag = "1")]
    pub root: Option<RootPlan>,
    #[prost(message, repeated, tag = "2")]
    pub mounts: Vec<MountPlan>,
    #[prost(message, optional, tag = "3")]
    pub exec: Option<ExecPlan>,
    /// The namespace of `exec.users`, as the agent sees it.
    #[prost(string, tag = "4")]
    pub users: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct RootPlan {
    /// Directory names below the layer directory, topmost first.
    #[prost(string, repeated, tag = "1")]
    pub layers: Vec<String>,
    #[prost(string, tag = "2")]
    pub upper: String,
    #[prost(string, tag = "3")]
    pub work: String,
    #[prost(bool, tag = "4")]
    pub read_only: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct MountPlan {
    /// Absolute, as the agent sees it.
    #[prost(string, tag = "1")]
    pub source: String,
    #[prost(string, tag = "2")]
    pub destination: String,
    #[prost(bool, tag = "3")]
    pub read_only: bool,
    #[prost(string, tag = "4")]
    pub sub_path: String,
    /// Make `sub_path` as a directory where it is missing.
    #[prost(bool, tag = "5")]
    pub make_sub_path: bool,
    /// What the container owns in it belongs to the same users on the disk as without a user namespace.
    #[prost(bool, tag = "40")]
    pub map_owners: bool,
    /// In place of a source: directory names below the layer directory, topmost first.
    #[prost(string, repeated, tag = "6")]
    pub layers: Vec<String>,
    /// In place of a source: the number of a block device; 0: none.
    #[prost(uint64, tag = "7")]
    pub device: u64,
}

/// The process itself: all that an exec needs, and the second half of a container.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecPlan {
    #[prost(message, optional, tag = "1")]
    pub process: Option<api::Process>,
    #[prost(message, optional, tag = "2")]
    pub security: Option<api::Security>,
    #[prost(string, tag = "3")]
    pub hostname: String,
    #[prost(message, optional, tag = "4")]
    pub users: Option<api::UserNamespace>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Report {
    #[prost(oneof = "report::Kind", tags = "1, 2, 3")]
    pub kind: Option<report::Kind>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadyReport {
    /// Nobody where it will not start.
    #[prost(message, optional, tag = "1")]
    pub user: Option<api::ResolvedUser>,
}

pub mod report {
    use crate::api;

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        /// Everything is in place; the terminal's master side comes along where there is one.
        #[prost(message, tag = "1")]
        Ready(super::ReadyReport),
        #[prost(string, tag = "2")]
        Failed(String),
        #[prost(message, tag = "3")]
        StartError(api::StartError),
    }
}

impl Report {
    pub fn failed(message: &str) -> Self {
        Self { kind: Some(report::Kind::Failed(message.to_owned())) }
    }
}
