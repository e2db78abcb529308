//! The agent in real machines, booted from what set-up has built: `setup/run test` packs the agent of this tree into the folder
//! PODVM_GUEST, and `./mvnw verify` does that before it comes here.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::format_push_string, clippy::too_many_lines, clippy::unwrap_used)]

mod ports;
mod rig;
mod security;

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
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
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
                Route { destination: "0.0.0.0/0".into(), gateway: "10.0.2.2".into(), ..Default::default() },
                Route { destination: "::/0".into(), gateway: "fec0::2".into(), ..Default::default() },
            ],
            mtu: 1400,
            ..Default::default()
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

/// Returns when the container has written a text. Nothing is acknowledged, so all of it can be read again.
async fn written(client: &mut Client, id: &str, text: &str) -> Outcome {
    let (requests, stream) = mpsc::channel(1);
    requests.send(ReadOutputRequest { message: Some(Read::ContainerId(id.into())) }).await?;
    let mut chunks = client.read_output(ReceiverStream::new(stream)).await?.into_inner();
    let mut output = String::new();
    while let Some(chunk) = chunks.message().await? {
        output.push_str(&String::from_utf8_lossy(&chunk.data));
        if output.contains(text) {
            return Ok(());
        }
    }
    Err(format!("container {id} ended without writing {text:?}: {output:?}").into())
}

/// The containers that are told before the mark, with their phases.
async fn present(client: &mut Client) -> Outcome<Vec<(String, Phase)>> {
    let mut states = client.watch_containers(WatchContainersRequest {}).await?.into_inner();
    let mut present = Vec::new();
    while let Some(state) = states.message().await? {
        if state.present_told {
            assert_eq!((state.id.as_str(), state.phase()), ("", Phase::Unspecified));
            return Ok(present);
        }
        present.push((state.id.clone(), state.phase()));
    }
    Err("the watch ended without its mark".into())
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

async fn boot() -> Outcome<(Machine, Connected)> {
    let machine = Machine::boot()?;
    let mut connected = machine.connect().await?;
    connected.client.configure_sandbox(sandbox()).await.map_err(|e| format!("{e}\n{}", machine.console()))?;
    Ok((machine, connected))
}

#[tokio::test]
async fn a_container_prints_and_exits_and_the_machine_powers_off() -> Outcome {
    let mut machine = Machine::boot()?;
    let mut connected = machine.connect().await?;
    let client = &mut connected.client;
    let hello = client.hello(HelloRequest {}).await?.into_inner();
    assert!(!hello.sandbox_configured);
    client.configure_sandbox(sandbox()).await?;
    let began = client.hello(HelloRequest {}).await?.into_inner().now_boottime_ns;
    let (output, state) =
        script(client, shell("first", "cat /proc/uptime /t /t2 >&2; cat /proc/uptime; cat /etc/release; echo oops >&2; exit 3")).await?;
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
    eprintln!("{}", output.stderr);
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

#[tokio::test]
async fn the_pod_sees_its_names_network_clock_and_disks() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let look = "hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf; ip -o addr show dev eth0; ip route; ip -6 route; cat /sys/class/net/eth0/mtu; \
                date +%Y; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; df /dev/shm | tail -1; mount | grep -c ext4; ping -c 1 -W 2 127.0.0.1 >/dev/null && echo loopback";
    let (output, state) = script(client, shell("look", look)).await?;
    assert_eq!(state.exit_code, 0, "{output:?}");
    let out = &output.stdout;
    for part in [
        "pod-1\npod-1\n127.0.0.1 localhost\n10.0.2.15 pod-1\nnameserver 10.0.2.3\n",
        "inet 10.0.2.15/24 brd 10.0.2.255",
        "inet6 fec0::15/64",
        "default via 10.0.2.2",
        "default via fec0::2",
        "\n1400\n",
        "\n2027\n80\n",
        " 65536 ",
        "loopback",
    ] {
        assert!(out.contains(part), "{part:?} is missing in\n{out}");
    }
    Ok(())
}

#[tokio::test]
async fn a_container_is_confined_as_container_engines_do() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let look = "grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status; ls /dev | tr '\\n' ' '; echo; ls -l /proc/self/fd | wc -l; cat /proc/keys; ls /sys/firmware; \
                echo 1 > /proc/sys/kernel/panic; echo x > /sys/fs/cgroup/cgroup.procs; mount -t tmpfs none /tmp; unshare -m true; mknod /dev/sda b 8 0 && head -c 1 /dev/sda; \
                mknod /tmp/null c 1 3 && echo ok > /tmp/null && echo null-works; cat /proc/1/cgroup; ls /run; echo $$; cat /proc/self/oom_score_adj; ps | wc -l; stat -c '%a %U' /tmp; umask";
    let (out, _) = script(client, shell("look", look)).await?;
    for part in [
        "CapEff:\t00000000a80425fb",
        "CapBnd:\t00000000a80425fb",
        "CapInh:\t0000000000000000",
        "CapAmb:\t0000000000000000",
        "Seccomp:\t2",
        "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero",
        "null-works",
        "0::/\n",
        "1777 root\n0022\n",
    ] {
        assert!(out.stdout.contains(part), "{part:?} is missing in\n{}\n{}", out.stdout, out.stderr);
    }
    for part in [
        "/proc/sys/kernel/panic: Read-only",
        "cgroup.procs: Read-only",
        "mount: permission denied",
        "unshare(0x20000): Operation not permitted",
        "/dev/sda: Operation not permitted",
    ] {
        assert!(out.stderr.contains(part), "{part:?} is missing in\n{}\n{}", out.stdout, out.stderr);
    }
    let mut privileged = shell(
        "all",
        "grep -E 'CapEff|Seccomp:' /proc/self/status; head -c 4 /dev/sda | wc -c; mount -t tmpfs none /tmp && echo mounted; ls /dev/vport* 2>&1; echo 1 > /proc/sys/kernel/sysrq && echo written; mkdir /sys/fs/cgroup/sub && echo cgroup",
    );
    privileged.security = Some(Security { privileged: true, ..Default::default() });
    let (out, _) = script(client, privileged).await?;
    for part in ["CapEff:\t000001ffffffffff", "Seccomp:\t0", "4\nmounted\n", "No such file", "written", "cgroup"] {
        assert!(out.stdout.contains(part), "{part:?} is missing in\n{}\n{}", out.stdout, out.stderr);
    }
    let mut read_only = shell("ro", "touch /x; touch /tmp/y; cat /etc/hostname; exit 0");
    read_only.root.as_mut().unwrap().read_only = true;
    read_only.security.as_mut().unwrap().no_new_privileges = true;
    read_only.mounts =
        vec![Mount { destination: "/tmp".into(), source: Some(mount::Source::EmptyDir("tmp".into())), ..Default::default() }];
    let (out, _) = script(client, read_only).await?;
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("pod-1\n", "touch: /x: Read-only file system\n"));
    Ok(())
}

#[tokio::test]
async fn users_groups_and_limits_are_those_that_were_asked_for() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let mut app = shell(
        "app",
        "id; echo $HOME $PATH $HOSTNAME; pwd; ulimit -n; grep CapEff /proc/self/status; echo out > /dev/stdout; cat /proc/self/oom_score_adj; echo $A",
    );
    let process = app.process.as_mut().unwrap();
    process.user = Some(User { user: "app".into(), supplemental_gids: vec![3000], ..Default::default() });
    process.working_dir = "/var-run/made/here".into();
    process.rlimits = vec![Rlimit { name: "nofile".into(), soft: 777, hard: 888 }];
    process.oom_score_adj = 500;
    process.env = vec!["A=1".into(), "A=2".into()];
    let (out, _) = script(client, app).await?;
    let expected = "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra),3000\n/home/app /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin pod-1\n/run/made/here\n777\nCapEff:\t0000000000000000\nout\n500\n2\n";
    assert_eq!(out.stdout, expected, "{}", out.stderr);
    let mut nobody = shell("nobody", "true");
    nobody.process.as_mut().unwrap().user = Some(User { user: "nobody".into(), ..Default::default() });
    let error = run(client, nobody).await?.error.unwrap();
    assert_eq!((error.kind(), error.exit_code), (start_error::Kind::Other, 128));
    assert!(error.message.contains("nobody"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_executed_says_why() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    for (id, program, kind, code) in [
        ("a", "no-such-program", start_error::Kind::NotFound, 127),
        ("b", "/no/such/program", start_error::Kind::NotFound, 127),
        ("c", "not-a-program", start_error::Kind::NotExecutable, 126),
        ("d", "/etc", start_error::Kind::NotExecutable, 126),
    ] {
        let error = run(client, container(id, &[program])).await?.error.ok_or(program)?;
        assert_eq!((error.kind(), error.exit_code), (kind, code), "{error:?}");
        assert!(error.message.contains(program), "{error:?}");
        assert_eq!(exit(client, id).await?.exit_code, code);
    }
    let again = client.start_container(StartContainerRequest { id: "a".into() }).await.unwrap_err();
    assert_eq!(again.code(), tonic::Code::FailedPrecondition);
    let twice = client.create_container(container("a", &["true"])).await.unwrap_err();
    assert_eq!(twice.code(), tonic::Code::AlreadyExists);
    let mut missing = container("m", &["true"]);
    missing.root.as_mut().unwrap().layer_serials = vec!["nothing".into()];
    let missing = client.create_container(missing).await.unwrap_err();
    assert!(missing.message().contains("nothing") && missing.message().contains("layer-base"), "{missing}");
    let unknown = client.start_container(StartContainerRequest { id: "zzz".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
    Ok(())
}

#[tokio::test]
async fn signals_and_memory_end_containers_as_reported() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    run(client, shell("sleeper", "trap 'echo term; exit 7' TERM; sleep 100 & echo ready; wait")).await?;
    let signal = |id: &str, signal, all| SignalContainerRequest { id: id.into(), signal, all };
    written(client, "sleeper", "ready").await?;
    client.signal_container(signal("sleeper", 15, false)).await?;
    let state = exit(client, "sleeper").await?;
    assert_eq!((state.exit_code, state.signal), (7, 0));
    assert_eq!(output(client, "sleeper").await?.stdout, "ready\nterm\n");
    let ended = client.signal_container(signal("sleeper", 15, false)).await.unwrap_err();
    assert_eq!(ended.code(), tonic::Code::NotFound);

    run(client, shell("killed", "sleep 100; true")).await?;
    client.signal_container(signal("killed", 9, true)).await?;
    let state = exit(client, "killed").await?;
    assert_eq!((state.exit_code, state.signal, state.oom_killed), (137, 9, false));

    let mut hungry = shell("hungry", "head -c 100000000 /dev/zero | tail; echo survived");
    hungry.resources =
        Some(Resources { memory_max_bytes: 24 << 20, pids_max: 50, cpu_quota_us: 90_000, cpu_weight: 50, ..Default::default() });
    run(client, hungry).await?;
    let state = exit(client, "hungry").await?;
    assert_eq!((state.exit_code, state.signal, state.oom_killed), (137, 9, true));

    // Removing kills; what never started can be removed too, and the name is free again.
    run(client, shell("removed", "sleep 100")).await?;
    client.create_container(shell("waiting", "true")).await?;
    for id in ["removed", "waiting"] {
        client.remove_container(RemoveContainerRequest { id: id.into() }).await?;
    }
    assert_eq!(script(client, shell("removed", "echo again")).await?.0.stdout, "again\n");
    Ok(())
}

#[tokio::test]
async fn a_watch_says_when_it_has_told_of_all_that_is_there_or_being_made() -> Outcome {
    let (machine, mut connected) = boot().await?;
    assert_eq!(present(&mut connected.client).await?, []);
    run(&mut connected.client, shell("ran", "exit 4")).await?;
    exit(&mut connected.client, "ran").await?;

    // Looking for a disk that is not there takes seconds; a watch that comes meanwhile waits for its end.
    let mut searching = container("searching", &["true"]);
    searching.root.as_mut().unwrap().layer_serials = vec!["nowhere".into()];
    let mut other = connected.client.clone();
    let creation = tokio::spawn(async move { other.create_container(searching).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let waiting = tokio::time::timeout(Duration::from_secs(2), present(&mut connected.client)).await;
    assert!(waiting.is_err(), "told too early: {waiting:?}");

    // The call outlives the connection that it came on, and so does the wait for it.
    connected.break_off().await;
    let _ = creation.await;
    connected = machine.connect().await?;
    connected.client.create_container(shell("made", "true")).await?;
    let mut told = present(&mut connected.client).await?;
    told.sort();
    assert_eq!(told, [("made".to_owned(), Phase::Created), ("ran".to_owned(), Phase::Exited)]);
    Ok(())
}

#[tokio::test]
async fn volumes_are_mounted_updated_and_confined() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let file = |path: &str, content: &str| VolumeFile { path: path.into(), content: content.into(), mode: 0o644, ..Default::default() };
    client.put_volume(PutVolumeRequest { name: "config".into(), files: vec![file("key", "one"), file("d/deep", "two")] }).await?;
    let at = |destination: &str, source, read_only, sub_path: &str| Mount {
        destination: destination.into(),
        source: Some(source),
        read_only,
        sub_path: sub_path.into(),
    };
    let empty = |name: &str| mount::Source::EmptyDir(name.into());
    let mut reader = shell(
        "reader",
        "cat /config/key /config/d/deep /single; touch /config/x; echo shared > /data/sub/file; until [ \"$(cat /config/key)\" = three ]; do sleep 0.1; done; cat /single; echo; ls /config; df /mem | tail -1",
    );
    reader.mounts = vec![
        at("/var-run/secrets/deep", mount::Source::Volume("config".into()), true, ""),
        at("/config", mount::Source::Volume("config".into()), true, ""),
        at("/single", mount::Source::Volume("config".into()), true, "key"),
        at("/data", empty("data"), false, ""),
        at("/data/sub", empty("other"), false, "below/../inside"),
        at("/mem", mount::Source::Tmpfs(Tmpfs { name: "mem".into(), size_bytes: 1 << 20 }), false, ""),
    ];
    run(client, reader).await?;
    written(client, "reader", "onetwoone").await?;
    client.put_volume(PutVolumeRequest { name: "config".into(), files: vec![file("key", "three"), file("new", "")] }).await?;
    let out = output(client, "reader").await?;
    assert_eq!(out.stderr, "touch: /config/x: Read-only file system\n");
    assert!(out.stdout.starts_with("onetwooneone\nkey\nnew\n"), "{}", out.stdout);
    assert!(out.stdout.contains(" 1024 "), "{}", out.stdout);

    // A link in a shared directory does not lead a sub path out of it.
    let mut other = shell("other", "cat /b/inside/file; ln -s /etc /a/escape; ln -s ../../../.. /a/up; mkdir /a/etc; stat -c %a /a");
    other.mounts = vec![at("/b", empty("other"), false, ""), at("/a", empty("data"), false, "")];
    let (out, _) = script(client, other).await?;
    assert_eq!(out.stdout, "shared\n777\n", "{}", out.stderr);
    let mut escape = shell("escape", "ls -A /e; ls /u");
    escape.mounts = vec![at("/e", empty("data"), false, "escape"), at("/u", empty("data"), false, "up")];
    let (out, _) = script(client, escape).await?;
    assert_eq!(out.stdout, "escape\netc\nsub\nup\n", "{}", out.stderr);
    for (field, bad) in [("files.path", "../x"), ("files.path", "/x")] {
        let refused = client.put_volume(PutVolumeRequest { name: "bad".into(), files: vec![file(bad, "")] }).await.unwrap_err();
        assert!(refused.code() == tonic::Code::InvalidArgument && refused.message().contains(field), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn output_survives_a_broken_connection_and_blocks_when_nobody_reads() -> Outcome {
    let (machine, mut connected) = boot().await?;
    let total = 3_000_000usize;
    run(&mut connected.client, shell("talker", &format!("head -c {total} /dev/zero | tr '\\0' x; echo end >&2"))).await?;
    let mut received = 0u64;
    let mut first: Option<OutputChunk> = None;
    let mut last_time = 0;
    for round in 0..4 {
        let (acks, requests) = mpsc::channel(64);
        acks.send(ReadOutputRequest { message: Some(Read::ContainerId("talker".into())) }).await?;
        let mut chunks = connected.client.read_output(ReceiverStream::new(requests)).await?.into_inner();
        let mut in_round = 0;
        loop {
            let Ok(chunk) = tokio::time::timeout(Duration::from_secs(5), chunks.message()).await else {
                assert!(round == 0 && (700_000..(1 << 20) + 32 * 1024).contains(&in_round), "held after {in_round} bytes in round {round}");
                break;
            };
            let Some(chunk) = chunk? else { break };
            if chunk.stream() != OutputStream::Stdout || chunk.eof {
                continue;
            }
            if let Some(first) = first.as_ref().filter(|_| in_round == 0) {
                assert_eq!((chunk.offset, chunk.data.len(), chunk.time_unix_ns), (first.offset, first.data.len(), first.time_unix_ns));
            }
            // The first round acknowledges nothing, and the container is held after 1 MiB.
            if round == 0 && in_round == 0 {
                first = Some(chunk.clone());
            }
            in_round += chunk.data.len();
            if round == 0 {
                continue;
            }
            first = None;
            // What the line lost of the acknowledgements comes again.
            if chunk.offset < received {
                continue;
            }
            assert_eq!(chunk.offset, received, "round {round}");
            assert!(chunk.time_unix_ns > last_time);
            last_time = chunk.time_unix_ns;
            received += chunk.data.len() as u64;
            let ack = OutputAck { stream: chunk.stream, offset: received };
            acks.send(ReadOutputRequest { message: Some(Read::Ack(ack)) }).await?;
            if round < 3 && in_round > 700_000 {
                // All that was sent is acknowledged before the line breaks.
                tokio::time::sleep(Duration::from_millis(300)).await;
                break;
            }
            if received == total as u64 {
                break;
            }
        }
        drop((acks, chunks));
        connected.break_off().await;
        connected = machine.connect().await?;
        assert!(connected.client.hello(HelloRequest {}).await?.into_inner().sandbox_configured);
    }
    assert_eq!(received, total as u64);
    // The exit was reported though stderr is not drained yet, and the rest comes with its end.
    assert_eq!(exit(&mut connected.client, "talker").await?.exit_code, 0);
    assert_eq!(output(&mut connected.client, "talker").await?.stderr, "end\n");
    // A second reader takes over from the first.
    run(&mut connected.client, shell("quiet", "sleep 100")).await?;
    let reader = || ReadOutputRequest { message: Some(Read::ContainerId("quiet".into())) };
    let (a, requests) = mpsc::channel(2);
    a.send(reader()).await?;
    let mut one = connected.client.read_output(ReceiverStream::new(requests)).await?.into_inner();
    let (b, requests) = mpsc::channel(2);
    b.send(reader()).await?;
    let _two = connected.client.read_output(ReceiverStream::new(requests)).await?.into_inner();
    assert_eq!(one.message().await.unwrap_err().code(), tonic::Code::Aborted);
    Ok(())
}

struct Exec {
    requests: mpsc::Sender<ExecRequest>,
    responses: tonic::Streaming<ExecResponse>,
    output: Output,
}

impl Exec {
    async fn start(client: &mut Client, start: ExecStart) -> Outcome<Self> {
        let (requests, stream) = mpsc::channel(64);
        requests.send(ExecRequest { message: Some(exec_request::Message::Start(start)) }).await?;
        let responses = client.exec(ReceiverStream::new(stream)).await?.into_inner();
        Ok(Self { requests, responses, output: Output::default() })
    }

    async fn say(&self, message: exec_request::Message) -> Outcome {
        Ok(self.requests.send(ExecRequest { message: Some(message) }).await?)
    }

    /// Keeps what the next message carries of output; the last one carries the end.
    async fn next(&mut self) -> Outcome<Option<exec_response::Message>> {
        let response = self.responses.message().await?.ok_or("the call ended without a last message")?;
        match response.message {
            Some(exec_response::Message::Stdout(data)) => self.output.stdout.push_str(&String::from_utf8_lossy(&data)),
            Some(exec_response::Message::Stderr(data)) => self.output.stderr.push_str(&String::from_utf8_lossy(&data)),
            last => return Ok(last),
        }
        Ok(None)
    }

    async fn written(&mut self, text: &str) -> Outcome {
        while !self.output.stdout.contains(text) {
            if let Some(last) = self.next().await? {
                return Err(format!("{last:?} without writing {text:?}: {:?}", self.output).into());
            }
        }
        Ok(())
    }

    async fn end(mut self) -> Outcome<(Output, Option<exec_response::Message>)> {
        loop {
            if let Some(last) = self.next().await? {
                return Ok((self.output, Some(last)));
            }
        }
    }
}

fn exec(id: &str, script: &str) -> ExecStart {
    ExecStart {
        container_id: id.into(),
        process: Some(Process { args: ["sh", "-c", script].map(str::to_owned).to_vec(), ..Default::default() }),
        stdin: false,
    }
}

#[tokio::test]
async fn an_exec_joins_the_container_and_reports_its_end() -> Outcome {
    use exec_request::Message as Say;
    use exec_response::Message::{Error, ExitCode};
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let mut main = shell("main", "echo mark > /tmp/mark; exec sleep 1000");
    main.process.as_mut().unwrap().env = vec!["FROM=container".into()];
    main.process.as_mut().unwrap().user = Some(User { user: "app".into(), ..Default::default() });
    run(client, main).await?;
    // The container's own program may not have come so far yet.
    let look = "until grep -q sleep /proc/1/comm; do usleep 10000; done; cat /tmp/mark; id -u; echo $FROM $EXTRA; cat /proc/1/comm; grep -E 'CapBnd|Seccomp:' /proc/self/status; cat /proc/self/cgroup; pwd; echo err >&2; exit 5";
    let mut start = exec("main", look);
    start.process.as_mut().unwrap().env = vec!["EXTRA=exec".into()];
    let (out, end) = Exec::start(client, start).await?.end().await?;
    assert_eq!(out.stdout, "mark\n1000\ncontainer exec\nsleep\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n0::/\n/\n");
    assert_eq!((out.stderr.as_str(), end), ("err\n", Some(ExitCode(5))));

    let mut cat = exec("main", "cat; echo done");
    cat.stdin = true;
    let cat = Exec::start(client, cat).await?;
    cat.say(Say::Stdin(b"hello "[..].into())).await?;
    cat.say(Say::Stdin(b"world\n"[..].into())).await?;
    cat.say(Say::CloseStdin(true)).await?;
    let (out, end) = cat.end().await?;
    assert_eq!((out.stdout.as_str(), end), ("hello world\ndone\n", Some(ExitCode(0))));

    let mut tty = exec("main", "tty; stty size; read line; stty size; echo got $line; kill -9 $$");
    tty.stdin = true;
    tty.process.as_mut().unwrap().terminal = true;
    tty.process.as_mut().unwrap().terminal_size = Some(TerminalSize { columns: 80, rows: 24 });
    let mut tty = Exec::start(client, tty).await?;
    tty.written("24 80\r\n").await?;
    tty.say(Say::Resize(TerminalSize { columns: 132, rows: 50 })).await?;
    tty.say(Say::Stdin(b"typed\n"[..].into())).await?;
    let (out, end) = tty.end().await?;
    assert_eq!((out.stdout.as_str(), end), ("/dev/pts/0\r\n24 80\r\ntyped\r\n50 132\r\ngot typed\r\n", Some(ExitCode(137))));

    // A descendant that keeps the pipe open does not keep the call open.
    let (out, end) = Exec::start(client, exec("main", "sleep 1000 & echo started")).await?.end().await?;
    assert_eq!((out.stdout.as_str(), end), ("started\n", Some(ExitCode(0))));

    let mut none = exec("main", "");
    none.process.as_mut().unwrap().args = vec!["no-such-program".into()];
    let (_, end) = Exec::start(client, none).await?.end().await?;
    assert!(matches!(&end, Some(Error(e)) if e.kind() == start_error::Kind::NotFound && e.exit_code == 127), "{end:?}");

    let mut signalled = Exec::start(client, exec("main", "echo up; sleep 100; true")).await?;
    signalled.written("up\n").await?;
    signalled.say(Say::Signal(15)).await?;
    assert_eq!(signalled.end().await?.1, Some(ExitCode(143)));

    // A cancelled call takes its process along.
    let mut cancelled = Exec::start(client, exec("main", "echo up; exec sleep 4242")).await?;
    cancelled.written("up\n").await?;
    let count = || exec("main", "ps | grep -c '[s]leep 4242'");
    assert_eq!(Exec::start(client, count()).await?.end().await?.0.stdout, "1\n");
    drop(cancelled);
    while Exec::start(client, count()).await?.end().await?.0.stdout != "0\n" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    client.signal_container(SignalContainerRequest { id: "main".into(), signal: 9, all: false }).await?;
    exit(client, "main").await?;
    let late = Exec::start(client, exec("main", "true")).await?.end().await.unwrap_err();
    assert!(late.to_string().contains("not running"), "{late}");
    Ok(())
}

#[tokio::test]
async fn input_reaches_pipes_and_terminals() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let line = |id: &str, data: &str| WriteInputRequest { container_id: id.into(), data: data.to_owned().into() };
    let mut once = shell("once", "cat; echo closed");
    (once.stdin, once.stdin_once) = (true, true);
    run(client, once).await?;
    client.write_input(tokio_stream::iter([line("once", "a "), line("", "b\n")])).await?;
    assert_eq!(output(client, "once").await?.stdout, "a b\nclosed\n");

    let mut open = shell("open", "read x; read y; echo $x $y");
    open.stdin = true;
    run(client, open).await?;
    client.write_input(tokio_stream::iter([line("open", "1\n")])).await?;
    client.write_input(tokio_stream::iter([line("open", "2\n")])).await?;
    assert_eq!(output(client, "open").await?.stdout, "1 2\n");

    let mut terminal = shell("terminal", "echo $TERM; read x; stty size; echo got $x >&2; ls -l /dev/console | cut -c1; tty");
    terminal.stdin = true;
    terminal.process.as_mut().unwrap().terminal = true;
    run(client, terminal).await?;
    written(client, "terminal", "xterm\r\n").await?;
    let size = Some(TerminalSize { columns: 100, rows: 30 });
    client.resize_terminal(ResizeTerminalRequest { container_id: "terminal".into(), size }).await?;
    client.write_input(tokio_stream::iter([line("terminal", "typed\n")])).await?;
    let out = output(client, "terminal").await?;
    assert_eq!(out.stdout, "xterm\r\ntyped\r\n30 100\r\ngot typed\r\nc\r\n/dev/pts/0\r\n");
    assert_eq!(out.stderr, "");

    run(client, shell("deaf", "sleep 100")).await?;
    let refused = client.write_input(tokio_stream::iter([line("deaf", "x")])).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    Ok(())
}
