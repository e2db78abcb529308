//! Compiles the wire contract without a protoc binary.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let root = "../../proto/src/main/proto";
    let file = "podvm/agent/v1/agent.proto";
    println!("cargo:rerun-if-changed={root}/{file}");
    let descriptors = protox::compile([file], [root])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".podvm.agent.v1.OutputChunk.data")
        .bytes(".podvm.agent.v1.WriteInputRequest.data")
        .bytes(".podvm.agent.v1.ExecRequest.stdin")
        .bytes(".podvm.agent.v1.ExecResponse.stdout")
        .bytes(".podvm.agent.v1.ExecResponse.stderr")
        .bytes(".podvm.agent.v1.ShareAnswer.data")
        .bytes(".podvm.agent.v1.ShareRequest.data")
        .bytes(".podvm.agent.v1.ConnectPortRequest.data")
        .bytes(".podvm.agent.v1.ConnectPortResponse.data")
        .bytes(".podvm.agent.v1.AcceptSocketRequest.data")
        .bytes(".podvm.agent.v1.AcceptSocketResponse.data")
        .compile_fds(descriptors)?;
    Ok(())
}
