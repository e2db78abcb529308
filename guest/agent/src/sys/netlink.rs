//! As much of rtnetlink as a pod's network needs: links, addresses, routes. Requests go out together, then all answers are read.
//! Formats: linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;

const IFF_UP: u32 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_AF_SPEC: u16 = 26;
const AF_INET6: u16 = 10;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
/// No duplicate address detection: the address was given to this pod alone, and the wait would delay its first packets.
const IFA_F_NODAD: u8 = 2;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RTN_UNICAST: u8 = 1;

/// Requests to be sent in one go, each with the words that describe it in an error.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    names: Vec<String>,
}

/// An address or network with its prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}

impl Cidr {
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, prefix })
    }
}

impl Batch {
    /// To be said before the link comes up, which is when the kernel makes that address and asks the network about it.
    pub fn no_link_local_address(&mut self, index: u32) {
        let start = self.link("leave a network interface without IPv6 address".to_owned(), index, 0);
        let families = self.nest(IFLA_AF_SPEC);
        let ipv6 = self.nest(AF_INET6);
        self.attribute(IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE]);
        self.close(ipv6);
        self.close(families);
        self.end(start);
    }

    /// Brings a link up, and gives it a name and an MTU where they are set.
    pub fn link_up(&mut self, index: u32, name: Option<&str>, mtu: Option<u32>) {
        let start = self.link(format!("bring up {}", name.unwrap_or("a network interface")), index, IFF_UP);
        if let Some(name) = name {
            let mut value = name.as_bytes().to_vec();
            value.push(0);
            self.attribute(IFLA_IFNAME, &value);
        }
        if let Some(mtu) = mtu {
            self.attribute(IFLA_MTU, &mtu.to_ne_bytes());
        }
        self.end(start);
    }

    pub fn address(&mut self, index: u32, cidr: Cidr) {
        let name = format!("add the address {}/{}", cidr.address, cidr.prefix);
        let start = self.begin(name, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
        let flags = if cidr.address.is_ipv6() { IFA_F_NODAD } else { 0 };
        self.bytes.extend([family(cidr.address), cidr.prefix, flags, RT_SCOPE_UNIVERSE]);
        self.bytes.extend(index.to_ne_bytes());
        let bytes = octets(cidr.address);
        self.attribute(IFA_LOCAL, &bytes);
        self.attribute(IFA_ADDRESS, &bytes);
        if let (IpAddr::V4(v4), 0..=30) = (cidr.address, cidr.prefix) {
            let hosts = u32::MAX.checked_shr(u32::from(cidr.prefix)).unwrap_or(0);
            self.attribute(IFA_BROADCAST, &(v4.to_bits() | hosts).to_be_bytes());
        }
        self.end(start);
    }

    pub fn route(&mut self, index: u32, destination: Cidr, gateway: Option<IpAddr>) {
        let name = format!("add the route to {}/{}", destination.address, destination.prefix);
        let start = self.begin(name, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
        let scope = if gateway.is_none() && destination.address.is_ipv4() { RT_SCOPE_LINK } else { RT_SCOPE_UNIVERSE };
        self.bytes.extend([family(destination.address), destination.prefix, 0, 0]);
        self.bytes.extend([RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST]);
        self.bytes.extend(0u32.to_ne_bytes());
        if destination.prefix > 0 {
            self.attribute(RTA_DST, &octets(destination.address));
        }
        if let Some(gateway) = gateway {
            self.attribute(RTA_GATEWAY, &octets(gateway));
        }
        self.attribute(RTA_OIF, &index.to_ne_bytes());
        self.end(start);
    }

    /// Sends everything; the first request that the kernel refuses is the error, with its description.
    pub fn send(self) -> Result<(), String> {
        if self.names.is_empty() {
            return Ok(());
        }
        let socket = self.transmit().map_err(|e| format!("speak to the kernel's network stack: {e}"))?;
        let mut answers = vec![0u8; 16 * 1024];
        let mut left = self.names.len();
        while left > 0 {
            let (size, _) = rustix::net::recv(&socket, &mut answers, RecvFlags::empty())
                .map_err(|e| format!("read the answer of the kernel's network stack: {e}"))?;
            for (sequence, errno) in acknowledgements(&answers[..size]) {
                left = left.saturating_sub(1);
                if errno != 0 {
                    let name = self.names.get(sequence as usize).map_or("", String::as_str);
                    return Err(format!("{name}: {}", io::Error::from_raw_os_error(-errno)));
                }
            }
        }
        Ok(())
    }

    fn transmit(&self) -> rustix::io::Result<OwnedFd> {
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        rustix::net::sendto(&socket, &self.bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        Ok(socket)
    }

    fn begin(&mut self, name: String, kind: u16, flags: u16) -> usize {
        let start = self.bytes.len();
        self.bytes.extend(0u32.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend((NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        self.bytes.extend(u32::try_from(self.names.len()).unwrap_or(u32::MAX).to_ne_bytes());
        self.bytes.extend(0u32.to_ne_bytes());
        self.names.push(name);
        start
    }

    /// A change of a link that sets these flags.
    fn link(&mut self, name: String, index: u32, flags: u32) -> usize {
        let start = self.begin(name, RTM_NEWLINK, 0);
        self.bytes.extend([0, 0]);
        self.bytes.extend(0u16.to_ne_bytes());
        for word in [index, flags, flags] {
            self.bytes.extend(word.to_ne_bytes());
        }
        start
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend((u16::try_from(value.len() + 4).unwrap_or(u16::MAX)).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// An attribute made of attributes: all that is added until it is closed.
    fn nest(&mut self, kind: u16) -> usize {
        let start = self.bytes.len();
        self.attribute(kind, &[]);
        start
    }

    fn close(&mut self, start: usize) {
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }

    fn end(&mut self, start: usize) {
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }
}

/// Sequence number and errno (0 or negative) of every answer.
fn acknowledgements(mut bytes: &[u8]) -> Vec<(u32, i32)> {
    let word = |b: &[u8], at: usize| b.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_ne_bytes);
    let mut found = Vec::new();
    while let Some(length) = word(bytes, 0) {
        let length = length as usize;
        let kind = bytes.get(4..6).and_then(|k| k.try_into().ok()).map(u16::from_ne_bytes);
        if let (Some(NLMSG_ERROR), Some(sequence), Some(error)) = (kind, word(bytes, 8), word(bytes, 16)) {
            found.push((sequence, i32::from_ne_bytes(error.to_ne_bytes())));
        }
        bytes = bytes.get(length.max(16).next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    u8::try_from(family.as_raw()).unwrap_or(0)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_longer_than_its_address_is_refused() {
        assert!(Cidr::parse("10.0.0.1/33").is_none());
        assert!(Cidr::parse("fd00::1/129").is_none());
        assert!(Cidr::parse("10.0.0.1").is_none());
        assert_eq!(Cidr::parse("fd00::5/64").unwrap().prefix, 64);
    }

    #[test]
    fn every_message_tells_its_own_length_and_number() {
        let mut batch = Batch::default();
        batch.link_up(2, Some("eth0"), Some(1400));
        batch.address(2, Cidr::parse("10.0.2.15/24").unwrap());
        batch.route(2, Cidr::parse("0.0.0.0/0").unwrap(), Some("10.0.2.2".parse().unwrap()));
        let mut rest = batch.bytes.as_slice();
        for number in 0..3u32 {
            let length = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            assert_eq!(u32::from_ne_bytes(rest[8..12].try_into().unwrap()), number);
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn an_ipv4_address_carries_its_broadcast_address() {
        let mut batch = Batch::default();
        batch.address(1, Cidr::parse("10.0.2.15/24").unwrap());
        assert!(batch.bytes.windows(8).any(|w| w == [8, 0, 4, 0, 10, 0, 2, 255]));
    }

    #[test]
    fn a_cut_answer_is_not_read_beyond_its_end() {
        let mut answer = vec![0u8; 36];
        answer[0] = 36;
        answer[4] = 2;
        answer[8] = 7;
        answer[16..20].copy_from_slice(&(-17i32).to_ne_bytes());
        assert_eq!(acknowledgements(&answer), [(7, -17)]);
        assert!(acknowledgements(&answer[..18]).is_empty());
        assert!(acknowledgements(&[]).is_empty());
    }
}
