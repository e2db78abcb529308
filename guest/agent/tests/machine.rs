//! The agent in a real machine: set PODVM_TEST_KERNEL (an uncompressed vmlinux) and PODVM_TEST_MODULES (its module directory) and
//! run `cargo test --test machine -- --ignored --test-threads=1`.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::format_push_string, clippy::too_many_lines, clippy::unwrap_used)]

mod rig;

use std::time::{Duration, Instant};

use rig::Outcome;
use rig::api::container_state::Phase;
use rig::api::read_output_request::Message as Read;
use rig::api::*;
use rig::client::{Client, Connected};
use rig::machine::{LAYERS, MAC, Machine, SCRATCH};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
];

fn sandbox() -> ConfigureSandboxRequest {
    ConfigureSandboxRequest {
        hostname: "pod-1".into(),
        hosts_file: b"127.0.0.1 localhost\n10.0.2.15 pod-1\n".to_vec(),
        resolv_conf_file: b"nameserver 10.0.2.3\n".to_vec(),
        interfaces: vec![NetworkInterface {
            mac: MAC.into(),
            name: "eth0".into(),
            addresses: vec!["10.0.2.15/24".into(), "fec0::15/64".into()],
            routes: vec![
                Route { destination: "0.0.0.0/0".into(), gateway: "10.0.2.2".into() },
                Route { destination: "::/0".into(), gateway: "fec0::2".into() },
            ],
            mtu: 1400,
        }],
        now_unix_ns: 1_800_000_000_000_000_000,
        random_seed: vec![7; 64],
        sysctls: [("net.ipv4.ip_unprivileged_port_start".to_owned(), "80".to_owned())].into(),
        scratch_disk_serial: SCRATCH.into(),
        ..Default::default()
    }
}

fn container(id: &str, args: &[&str]) -> CreateContainerRequest {
    CreateContainerRequest {
        id: id.into(),
        root: Some(RootFilesystem { layer_serials: LAYERS.map(str::to_owned).to_vec(), read_only: false }),
        process: Some(Process { args: args.iter().map(|a| (*a).to_owned()).collect(), ..Default::default() }),
        security: Some(Security { capabilities: CAPABILITIES.map(str::to_owned).to_vec(), ..Default::default() }),
        ..Default::default()
    }
}

fn shell(id: &str, script: &str) -> CreateContainerRequest {
    container(id, &["/bin/sh", "-c", script])
}

async fn run(client: &mut Client, request: CreateContainerRequest) -> Outcome<StartContainerResponse> {
    let id = request.id.clone();
    client.create_container(request).await?;
    Ok(client.start_container(StartContainerRequest { id }).await?.into_inner())
}

#[derive(Default, Debug)]
struct Output {
    stdout: String,
    stderr: String,
}

/// Reads and acknowledges everything until the stream ends.
async fn output(client: &mut Client, id: &str) -> Outcome<Output> {
    let (acks, requests) = mpsc::channel(64);
    acks.send(ReadOutputRequest { message: Some(Read::ContainerId(id.into())) }).await?;
    let mut chunks = client.read_output(ReceiverStream::new(requests)).await?.into_inner();
    let mut output = Output::default();
    while let Some(chunk) = chunks.message().await? {
        let text = String::from_utf8_lossy(&chunk.data).into_owned();
        match chunk.stream() {
            OutputStream::Stderr => output.stderr.push_str(&text),
            _ => output.stdout.push_str(&text),
        }
        let ack = OutputAck { stream: chunk.stream, offset: chunk.offset + chunk.data.len() as u64 };
        let _ = acks.send(ReadOutputRequest { message: Some(Read::Ack(ack)) }).await;
    }
    Ok(output)
}

async fn exit(client: &mut Client, id: &str) -> Outcome<ContainerState> {
    let mut states = client.watch_containers(WatchContainersRequest {}).await?.into_inner();
    while let Some(state) = states.message().await? {
        if state.id == id && state.phase() == Phase::Exited {
            return Ok(state);
        }
    }
    Err("the watch ended".into())
}

/// Runs a script to its end; its output and its state.
async fn script(client: &mut Client, request: CreateContainerRequest) -> Outcome<(Output, ContainerState)> {
    let id = request.id.clone();
    run(client, request).await?;
    Ok((output(client, &id).await?, exit(client, &id).await?))
}

async fn boot() -> Outcome<Option<(Machine, Connected)>> {
    let Some(machine) = Machine::boot()? else {
        return Ok(None);
    };
    let mut connected = machine.connect().await?;
    connected.client.configure_sandbox(sandbox()).await.map_err(|e| format!("{e}\n{}", machine.console()))?;
    Ok(Some((machine, connected)))
}

#[tokio::test]
#[ignore = "boots a machine"]
async fn a_container_prints_and_exits_and_the_machine_powers_off() -> Outcome {
    let Some(mut machine) = Machine::boot()? else { return Ok(()) };
    let mut connected = machine.connect().await?;
    let client = &mut connected.client;
    let hello = client.hello(HelloRequest {}).await?.into_inner();
    assert!(!hello.sandbox_configured);
    client.configure_sandbox(sandbox()).await?;
    let began = client.hello(HelloRequest {}).await?.into_inner().now_boottime_ns;
    let (output, state) = script(client, shell("first", "cat /proc/uptime; cat /etc/release; echo oops >&2; exit 3")).await?;
    let after = client.hello(HelloRequest {}).await?.into_inner();
    eprintln!(
        "main at {} ms, first Hello at {} ms, configured at {} ms, in the container at {} s, rss {} KiB",
        hello.started_boottime_ns / 1_000_000,
        hello.now_boottime_ns / 1_000_000,
        began / 1_000_000,
        output.stdout.split(' ').next().unwrap_or_default(),
        after.agent_rss_bytes / 1024,
    );
    assert!(output.stdout.ends_with("upper\n"), "{output:?}");
    assert_eq!(output.stderr, "oops\n");
    assert_eq!((state.exit_code, state.signal, state.oom_killed), (3, 0, false));
    assert!(state.started_unix_ns > 1_800_000_000_000_000_000 && state.exited_unix_ns >= state.started_unix_ns);
    client.remove_container(RemoveContainerRequest { id: "first".into() }).await?;
    client.remove_container(RemoveContainerRequest { id: "first".into() }).await?;
    let _ = client.shutdown(ShutdownRequest {}).await;
    let asked = Instant::now();
    assert!(machine.ends_within(Duration::from_secs(10)).await?, "{}", machine.console());
    eprintln!("powered off in {} ms", asked.elapsed().as_millis());
    Ok(())
}
