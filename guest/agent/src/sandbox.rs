//! What a pod's containers share: names, network, clock, scratch disk, shared memory.

use std::fs;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::mount::MountFlags;
use rustix::time::{ClockId, Timespec};

use crate::api::{ConfigureSandboxRequest, NetworkInterface};
use crate::checks::at_most;
use crate::disks;
use crate::error::{Doing, Error, Result};
use crate::launch::dev::SHM;
use crate::modules::{Modules, Phase};
use crate::sys::entropy;
use crate::sys::netlink::{Batch, Cidr, Link, Mac, Neighbor, Route};

pub const ETC: &str = "/run/podvm/etc";
const NETWORK_PATIENCE: Duration = Duration::from_secs(10);
const DEFAULT_SHM: u64 = 64 << 20;
const MAX_FILE: usize = 1 << 20;
/// Linux takes names of up to 64 bytes.
const MAX_NAME: usize = 64;

/// Whether this machine is a copy of one that had no disks.
static COPY: AtomicBool = AtomicBool::new(false);

/// From now on copies of this machine may be configured, for pods of their own.
pub fn becomes_template() {
    COPY.store(true, Ordering::Release);
}

pub async fn configure(request: &ConfigureSandboxRequest, modules: &Modules) -> Result<()> {
    check(request)?;
    let interfaces = request.interfaces.iter().map(Interface::parse).collect::<Result<Vec<_>>>()?;
    if !request.random_seed.is_empty() {
        let random = fs::File::open("/dev/random").doing(|| "open /dev/random")?;
        entropy::add(random, &request.random_seed).doing(|| "seed the random number generator")?;
    }
    if request.now_unix_ns > 0 {
        set_clock(request.now_unix_ns)?;
    }
    name_machine(request)?;
    modules.ready(Phase::Disk).await;
    if COPY.load(Ordering::Acquire) {
        disks::scan_beside();
    }
    if !is_mounted(disks::SCRATCH) {
        disks::mount_scratch(&request.scratch_disk_serial).await?;
    }
    for directory in ["containers", "empty-dirs", "removed"] {
        disks::make_directory(&format!("{}/{directory}", disks::SCRATCH))?;
    }
    mount_shm(request.shm_size_bytes)?;
    modules.ready(Phase::Net).await;
    configure_network(&interfaces).await?;
    for (key, value) in &request.sysctls {
        let path = format!("/proc/sys/{}", sysctl_path(key)?);
        fs::write(&path, value).map_err(|e| Error::invalid(format!("sysctls: cannot set {key} to {value:?}: {e}")))?;
    }
    Ok(())
}

fn check(request: &ConfigureSandboxRequest) -> Result<()> {
    at_most("hostname (bytes)", request.hostname.len(), MAX_NAME)?;
    at_most("domainname (bytes)", request.domainname.len(), MAX_NAME)?;
    at_most("hosts_file (bytes)", request.hosts_file.len(), MAX_FILE)?;
    at_most("resolv_conf_file (bytes)", request.resolv_conf_file.len(), MAX_FILE)?;
    at_most("random_seed (bytes)", request.random_seed.len(), entropy::MAX)?;
    at_most("interfaces", request.interfaces.len(), 64)?;
    at_most("sysctls", request.sysctls.len(), 1024)?;
    for key in request.sysctls.keys() {
        sysctl_path(key)?;
    }
    if !request.scratch_disk_serial.is_empty() {
        disks::check_serial("scratch_disk_serial", &request.scratch_disk_serial)?;
    }
    Ok(())
}

fn set_clock(unix_ns: u64) -> Result<()> {
    let now = Timespec {
        tv_sec: i64::try_from(unix_ns / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(unix_ns % 1_000_000_000).unwrap_or(0),
    };
    rustix::time::clock_settime(ClockId::Realtime, now).doing(|| format!("set the clock to {unix_ns} ns after 1970"))
}

fn name_machine(request: &ConfigureSandboxRequest) -> Result<()> {
    if !request.hostname.is_empty() {
        rustix::system::sethostname(request.hostname.as_bytes()).doing(|| format!("set the host name {}", request.hostname))?;
    }
    rustix::system::setdomainname(request.domainname.as_bytes()).doing(|| format!("set the domain name {}", request.domainname))?;
    for (name, content) in [
        ("hosts", request.hosts_file.as_slice()),
        ("resolv.conf", &request.resolv_conf_file),
        ("hostname", format!("{}\n", request.hostname).as_bytes()),
    ] {
        fs::write(format!("{ETC}/{name}"), content).doing(|| format!("write /etc/{name}"))?;
    }
    Ok(())
}

fn mount_shm(size: u64) -> Result<()> {
    if is_mounted(SHM) {
        return Ok(());
    }
    let size = if size == 0 { DEFAULT_SHM } else { size };
    let options = std::ffi::CString::new(format!("mode=1777,size={size}")).doing(|| "size the shared memory")?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("shm", SHM, "tmpfs", flags, options.as_c_str()).doing(|| "mount the shared memory")
}

/// A call that failed half-way is repeated: what it mounted is there already.
pub fn is_mounted(path: &str) -> bool {
    let device = |p: &str| rustix::fs::lstat(p).map(|s| s.st_dev).ok();
    device(path) != device("/run/podvm")
}

/// "net.ipv4.ip_forward" or with slashes, as sysctl takes it.
fn sysctl_path(key: &str) -> Result<String> {
    let clean = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b)) && !key.is_empty() && key.len() <= 256;
    // Where the first separator is a slash, dots are part of names ("net/ipv4/conf/eth0.1/...").
    let path = match key.find(['.', '/']) {
        Some(at) if key.as_bytes()[at] == b'/' => key.to_owned(),
        _ => key.replace('.', "/"),
    };
    if clean && !path.split('/').any(|part| part.is_empty() || part == "..") {
        Ok(path)
    } else {
        Err(Error::invalid(format!("sysctls: not the name of a kernel setting: {key:?}")))
    }
}

struct Interface {
    mac: String,
    name: String,
    address: Option<Mac>,
    addresses: Vec<Cidr>,
    routes: Vec<Route>,
    neighbors: Vec<Neighbor>,
    mtu: Option<u32>,
}

impl Interface {
    fn parse(wire: &NetworkInterface) -> Result<Self> {
        let name = wire.name.clone();
        if name.is_empty() || name.len() > 15 || name == "." || name == ".." || name.bytes().any(|b| b == b'/' || b == b':' || b <= b' ') {
            return Err(Error::invalid(format!("interfaces.name: not the name of a network interface: {name:?}")));
        }
        at_most("interfaces.addresses", wire.addresses.len(), 64)?;
        at_most("interfaces.routes", wire.routes.len(), 1024)?;
        at_most("interfaces.neighbors", wire.neighbors.len(), 1024)?;
        let cidr = |field: &str, text: &str| {
            Cidr::parse(text).ok_or_else(|| Error::invalid(format!("{field}: not an address with prefix length: {text:?}")))
        };
        let addresses = wire.addresses.iter().map(|a| cidr("interfaces.addresses", a)).collect::<Result<_>>()?;
        let mut routes = Vec::with_capacity(wire.routes.len());
        for route in &wire.routes {
            routes.push(Route {
                destination: cidr("interfaces.routes.destination", &route.destination)?,
                gateway: ip("interfaces.routes.gateway", &route.gateway)?,
                source: ip("interfaces.routes.source", &route.source)?,
                metric: route.metric,
                mtu: route.mtu,
                on_link: route.on_link,
            });
        }
        let mut neighbors = Vec::with_capacity(wire.neighbors.len());
        for neighbor in &wire.neighbors {
            let field = "interfaces.neighbors.ip";
            let ip = ip(field, &neighbor.ip)?.ok_or_else(|| Error::invalid(format!("{field} is empty")))?;
            neighbors.push(Neighbor { ip, mac: mac("interfaces.neighbors.mac", &neighbor.mac)? });
        }
        let address = if wire.address.is_empty() { None } else { Some(mac("interfaces.address", &wire.address)?) };
        let mtu = (wire.mtu > 0).then_some(wire.mtu);
        Ok(Self { mac: wire.mac.to_ascii_lowercase(), name, address, addresses, routes, neighbors, mtu })
    }
}

/// Empty: none.
fn ip(field: &str, text: &str) -> Result<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Error::invalid(format!("{field}: not an address: {text:?}")))
}

fn mac(field: &str, text: &str) -> Result<Mac> {
    Mac::parse(text).ok_or_else(|| Error::invalid(format!("{field}: not a hardware address: {text:?}")))
}

async fn configure_network(interfaces: &[Interface]) -> Result<()> {
    const LOOPBACK: u32 = 1;
    let mut batch = Batch::default();
    batch.link_up(LOOPBACK, &Link::default());
    for interface in interfaces {
        let (index, present) = find(&interface.mac).await?;
        let rename = (present != interface.name).then_some(interface.name.as_str());
        distrust_routers(&present)?;
        if !interface.addresses.iter().any(|a| a.address.is_ipv6()) {
            batch.no_link_local_address(index);
        }
        batch.link_up(index, &Link { name: rename, address: interface.address, mtu: interface.mtu });
        interface.addresses.iter().for_each(|a| batch.address(index, *a));
        interface.neighbors.iter().for_each(|n| batch.neighbor(index, n));
        interface.routes.iter().for_each(|r| batch.route(index, r));
    }
    batch.send().map_err(|e| Error::internal(format!("interfaces: cannot {e}")))
}

/// A pod has the addresses and routes that it was given; whoever shares its network cannot add any by router advertisements.
fn distrust_routers(interface: &str) -> Result<()> {
    match fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/accept_ra"), "0") {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()), // a kernel without IPv6
        other => other.doing(|| format!("refuse router advertisements on {interface}")),
    }
}

/// Index and present name of the device with this address.
async fn find(mac: &str) -> Result<(u32, String)> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        let mut there = Vec::new();
        for entry in fs::read_dir("/sys/class/net").doing(|| "list the network interfaces")?.flatten() {
            let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default().trim().to_owned();
            let address = read("address");
            if address == mac {
                let index = read("ifindex").parse().doing(|| format!("read the index of the network interface {mac}"))?;
                return Ok((index, entry.file_name().to_string_lossy().into_owned()));
            }
            there.push(address);
        }
        if start.elapsed() > NETWORK_PATIENCE {
            let seconds = NETWORK_PATIENCE.as_secs();
            let message = format!(
                "interfaces.mac: no network device {mac:?} appeared in {seconds} s; there are {}; attach it with this address",
                there.join(" ")
            );
            return Err(Error::not_found(message));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(8));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_sysctl_name_becomes_a_path_below_its_root() {
        assert_eq!(sysctl_path("net.ipv4.ip_forward").unwrap(), "net/ipv4/ip_forward");
        assert_eq!(sysctl_path("net/ipv4/conf/eth0.1/forwarding").unwrap(), "net/ipv4/conf/eth0.1/forwarding");
        for bad in ["", "/etc/passwd", "../x", "net/../x", "net..x", "a b"] {
            assert!(sysctl_path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_interface_with_a_wrong_part_is_refused_by_field() {
        let wire = NetworkInterface { name: "eth0".into(), addresses: vec!["10.0.0.1".into()], ..Default::default() };
        assert!(Interface::parse(&wire).err().unwrap().message.starts_with("interfaces.addresses"));
    }
}
