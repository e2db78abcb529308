//! Users and groups as an image names them, looked up in the container's own files.

use std::io::Read;

use rustix::fd::OwnedFd;
use rustix::fs::OFlags;

use crate::api::User;
use crate::error::{Error, Result};

use super::inroot;

/// An image decides how long these files are; no real one comes near.
const MAX_FILE: u64 = 4 << 20;

#[derive(Debug, PartialEq, Eq, Default, Clone)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub home: String,
}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

pub fn resolve(wanted: &User) -> Result<Identity> {
    let read = |path: &str| read(path).unwrap_or_default();
    resolve_in(wanted, &read("etc/passwd"), &read("etc/group"))
}

fn read(path: &str) -> Option<String> {
    let root: OwnedFd = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, rustix::fs::Mode::empty()).ok()?;
    // O_NONBLOCK: an image may have put a FIFO there.
    let file = inroot::open_in(std::os::fd::AsFd::as_fd(&root), path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
    let mut bytes = Vec::new();
    std::fs::File::from(file).take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn resolve_in(wanted: &User, passwd: &str, group: &str) -> Result<Identity> {
    let (user, group_name) = match wanted.user.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|g| !g.is_empty())),
        None => (wanted.user.as_str(), None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let number = user.parse::<u32>().ok();
    let account = accounts(passwd).find(|a| a.name == user).or_else(|| accounts(passwd).find(|a| Some(a.uid) == number));
    let mut identity = match (&account, number) {
        (Some(account), _) => Identity { uid: account.uid, gid: account.gid, home: account.home.to_owned(), groups: Vec::new() },
        (None, Some(uid)) => Identity { uid, ..Identity::default() },
        (None, None) => return Err(Error::not_found(format!("no user {user:?} in the container's /etc/passwd"))),
    };
    if identity.home.is_empty() {
        identity.home.push_str(if identity.uid == 0 { "/root" } else { "/" });
    }
    if let Some(name) = group_name {
        let by_name = groups(group).find(|g| g.name == name).map(|g| g.gid);
        identity.gid = by_name
            .or_else(|| name.parse().ok())
            .ok_or_else(|| Error::not_found(format!("no group {name:?} in the container's /etc/group")))?;
    }
    if let Some(gid) = wanted.gid {
        identity.gid = gid;
    }
    if let Some(account) = account.as_ref().filter(|_| !wanted.strict_groups) {
        let member = |g: &Group<'_>| g.members.split(',').any(|m| m == account.name);
        identity.groups.extend(groups(group).filter(member).map(|g| g.gid));
    }
    identity.groups.extend(&wanted.supplemental_gids);
    identity.groups.push(identity.gid);
    identity.groups.sort_unstable();
    identity.groups.dedup();
    Ok(identity)
}

fn accounts(passwd: &str) -> impl Iterator<Item = Account<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some(Account {
            name: fields.next().filter(|n| !n.is_empty())?,
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
            home: fields.nth(1).unwrap_or_default(),
        })
    })
}

fn groups(group: &str) -> impl Iterator<Item = Group<'_>> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some(Group {
            name: fields.next().filter(|n| !n.is_empty())?,
            gid: fields.nth(1)?.parse().ok()?,
            members: fields.next().unwrap_or_default(),
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1001:App:/srv/app:/bin/sh\n42:x:7:7::/seven:\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:app,other\nvideo:x:44:other\napp:x:1001:\ndocker:x:999:app\n";

    fn user(text: &str) -> User {
        User { user: text.to_owned(), ..User::default() }
    }

    fn resolved(user: &User) -> Identity {
        resolve_in(user, PASSWD, GROUP).unwrap()
    }

    #[test]
    fn nobody_named_means_root() {
        let root = resolved(&user(""));
        assert_eq!((root.uid, root.gid, root.home.as_str()), (0, 0, "/root"));
    }

    #[test]
    fn a_name_brings_its_groups() {
        let app = resolved(&user("app"));
        assert_eq!((app.uid, app.gid), (1000, 1001));
        assert_eq!(app.groups, [10, 999, 1001]);
    }

    #[test]
    fn a_number_finds_its_account_and_one_without_account_gets_group_zero() {
        assert_eq!(resolved(&user("1000")).home, "/srv/app");
        let unknown = resolved(&user("5000"));
        assert_eq!((unknown.uid, unknown.gid, unknown.home.as_str()), (5000, 0, "/"));
    }

    #[test]
    fn a_name_made_of_digits_wins_over_the_number() {
        assert_eq!(resolved(&user("42")).uid, 7);
    }

    #[test]
    fn the_group_after_the_colon_and_the_explicit_one_override() {
        assert_eq!(resolved(&user("app:video")).gid, 44);
        assert_eq!(resolved(&user("app:77")).gid, 77);
        assert_eq!(resolved(&User { gid: Some(5), ..user("app:video") }).gid, 5);
    }

    #[test]
    fn strict_groups_leave_only_what_was_asked_for() {
        let strict = User { strict_groups: true, supplemental_gids: vec![3], ..user("app") };
        assert_eq!(resolved(&strict).groups, [3, 1001]);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_it() {
        assert!(resolve_in(&user("nobody"), PASSWD, GROUP).unwrap_err().message.contains("nobody"));
        assert!(resolve_in(&user("app:nogroup"), PASSWD, GROUP).unwrap_err().message.contains("nogroup"));
    }
}
