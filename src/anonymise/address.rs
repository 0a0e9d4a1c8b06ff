//! Addresses of which only the network stays.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Illegible, Made};
use crate::value::{Owned, Value};

/// What stays of an address: 24 bits of version 4, 48 of version 6. A port and a zone do not.
const FIRST_24: u32 = 0xffff_ff00;
const FIRST_48: u128 = !0 << 80;

/// Zeroes the rest of an address. One that reads so already stays as it is written.
pub(super) fn truncate(value: Value<'_>) -> Made<'_> {
    let Value::Text(text) = value else { return Made::Illegible(Illegible::NoAddress) };
    let read = std::str::from_utf8(text).ok().and_then(read);
    let Some((address, is_bare)) = read else { return Made::Illegible(Illegible::NoAddress) };
    let network = network(address);
    if is_bare && network == address {
        return Made::Already;
    }
    Made::Value(Owned::Text(network.to_string().into_bytes()))
}

/// An address, and whether there is nothing beside it.
fn read(text: &str) -> Option<(IpAddr, bool)> {
    if let Ok(address) = text.parse() {
        return Some((address, true));
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some((socket.ip(), false));
    }
    // `fe80::1%eth0`: the zone is a name of the machine's own.
    let (address, zone) = text.split_once('%')?;
    let is_zone = !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_graphic());
    let address = address.parse::<Ipv6Addr>().ok().filter(|_| is_zone)?;
    Some((IpAddr::V6(address), false))
}

fn network(address: IpAddr) -> IpAddr {
    let of_4 = |address: Ipv4Addr| Ipv4Addr::from_bits(address.to_bits() & FIRST_24);
    match address {
        IpAddr::V4(address) => IpAddr::V4(of_4(address)),
        // One of version 4 in the form of version 6.
        IpAddr::V6(address) => IpAddr::V6(match address.to_ipv4_mapped() {
            Some(mapped) => of_4(mapped).to_ipv6_mapped(),
            None => Ipv6Addr::from_bits(address.to_bits() & FIRST_48),
        }),
    }
}
