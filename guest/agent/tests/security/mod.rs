//! What containers may do, and as whom.

use super::rig::Outcome;
use super::rig::api::*;
use super::{boot, run, script, shell, written};

fn instruction(code: u16, jump_true: u8, jump_false: u8, value: u32) -> [u8; 8] {
    let (code, value) = (code.to_le_bytes(), value.to_le_bytes());
    [code[0], code[1], jump_true, jump_false, value[0], value[1], value[2], value[3]]
}

/// Answers calls of these numbers with EPERM, but allows all others.
fn refusing(numbers: &[u32]) -> Vec<u8> {
    let mut program = vec![instruction(0x20, 0, 0, 0)];
    for (i, number) in numbers.iter().enumerate() {
        program.push(instruction(0x15, u8::try_from(numbers.len() - i).unwrap(), 0, *number));
    }
    program.extend([instruction(0x06, 0, 0, 0x7fff_0000), instruction(0x06, 0, 0, 0x0005_0001)]);
    program.concat()
}

fn filtered(id: &str, calls: &[libc::c_long], capabilities: &[&str], text: &str) -> CreateContainerRequest {
    let mut request = shell(id, text);
    let security = request.security.get_or_insert_default();
    security.set_seccomp(SeccompMode::Filter);
    security.seccomp_filter = refusing(&calls.iter().map(|n| u32::try_from(*n).unwrap()).collect::<Vec<_>>());
    security.capabilities.extend(capabilities.iter().map(|c| (*c).to_owned()));
    request
}

#[cfg(target_arch = "x86_64")]
const CHMOD: [libc::c_long; 3] = [libc::SYS_chmod, libc::SYS_fchmod, libc::SYS_fchmodat];
#[cfg(not(target_arch = "x86_64"))]
const CHMOD: [libc::c_long; 2] = [libc::SYS_fchmod, libc::SYS_fchmodat];

/// All that the agent itself does between its last word and the program.
const AGENTS: [libc::c_long; 8] = [
    libc::SYS_setgroups,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_capset,
    libc::SYS_seccomp,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_chdir,
];

#[tokio::test]
async fn a_foreign_filter_holds_for_the_program_alone() -> Outcome {
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;

    let (output, _) = script(client, filtered("chmod", &CHMOD, &[], "chmod 400 / ; grep Seccomp: /proc/self/status")).await?;
    assert!(output.stderr.contains("Operation not permitted"), "{output:?}");
    assert_eq!(output.stdout, "Seccomp:\t2\n");

    let (output, _) = script(client, filtered("name", &[libc::SYS_sethostname], &["CAP_SYS_ADMIN"], "hostname other")).await?;
    assert!(output.stderr.contains("Operation not permitted"), "{output:?}");

    // neither the order of preparation nor the user is the filter's business, nor does anything of the installing stay
    for user in ["0", "1000"] {
        let mut request = filtered(&format!("all-{user}"), &AGENTS, &[], "id -u; grep -E 'Cap(Eff|Prm|Inh)' /proc/self/status");
        request.process.get_or_insert_default().user = Some(User { user: user.into(), ..User::default() });
        let (output, state) = script(client, request).await?;
        assert_eq!(state.exit_code, 0, "{output:?}");
        let expected = if user == "0" { "00000000a80425fb" } else { "0000000000000000" };
        assert_eq!(output.stdout, format!("{user}\nCapInh:\t0000000000000000\nCapPrm:\t{expected}\nCapEff:\t{expected}\n"));
    }

    let mut wrong = shell("wrong", "true");
    wrong.security.get_or_insert_default().set_seccomp(SeccompMode::Filter);
    let refused = client.create_container(wrong).await.err().ok_or("a filter of nothing")?;
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert!(refused.message().contains("seccomp_filter"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_user_namespace_maps_the_pods_users_to_others_of_the_machine() -> Outcome {
    const USERS: UserNamespace = UserNamespace { first_uid: 100_000, first_gid: 200_000, length: 65_536 };
    let (_machine, mut connected) = boot().await?;
    let client = &mut connected.client;
    let volume = Mount { destination: "/data".into(), source: Some(mount::Source::EmptyDir("data".into())), ..Mount::default() };
    let mapped =
        |id: &str, text: &str| CreateContainerRequest { user_namespace: Some(USERS), mounts: vec![volume.clone()], ..shell(id, text) };

    let text = "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; id -u; stat -c %u /etc/passwd /etc /dev /dev/null; \
        echo x >/etc/new && stat -c '%u %g' /etc/new; echo mapped >/data/file; chown 1000:1000 /data/file; mkdir /made; \
        grep CapEff /proc/self/status; ls /sys/fs/cgroup >/dev/null && echo trees";
    let (output, _) = script(client, mapped("root", text)).await?;
    let expected = " 0 100000 65536\n 0 200000 65536\n0\n0\n0\n0\n0\n0 0\nCapEff:\t00000000a80425fb\ntrees\n";
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (expected, ""));

    // what it has written is what any container of the pod sees
    let mut plain = shell("plain", "stat -c '%u %g' /data/file; cat /data/file");
    plain.mounts = vec![volume.clone()];
    let (output, _) = script(client, plain).await?;
    assert_eq!(output.stdout, "1000 1000\nmapped\n", "{output:?}");

    let mut user =
        mapped("user", "id; echo hi >/dev/stdout; cat /data/file; touch /etc/x 2>/dev/null || echo refused; echo up; exec sleep 1000");
    user.process.get_or_insert_default().user = Some(User { user: "app".into(), ..User::default() });
    run(client, user).await?;
    written(client, "user", "hi\nmapped\nrefused\nup\n").await?;

    // with the machine's eyes
    let mut outside = shell("outside", "stat -c '%u %g' /proc/*/ | sort -u");
    outside.security.get_or_insert_default().privileged = true;
    outside.pid_namespace = Some(PidNamespace { of: Some(pid_namespace::Of::Container("user".into())) });
    let (output, _) = script(client, outside).await?;
    assert!(output.stdout.contains("101000 201000\n"), "{output:?}");

    let other = CreateContainerRequest { user_namespace: Some(UserNamespace { length: 1, ..USERS }), ..shell("other", "true") };
    let refused = client.create_container(other).await.err().ok_or("a second mapping")?;
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    let root = CreateContainerRequest { user_namespace: Some(UserNamespace { first_uid: 0, ..USERS }), ..shell("root-again", "true") };
    let refused = client.create_container(root).await.err().ok_or("the machine's root")?;
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    Ok(())
}
