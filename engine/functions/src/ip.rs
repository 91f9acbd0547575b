//! IP networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use num_bigint::BigInt;
use terrace_value::{Type, Value};

use crate::spec::{gives_bool, gives_string, gives_strings, number, text};
use crate::support::{BlameArgument, big_integer_of, integer_of, text_of};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "cidrcontains",
            "Whether an address, or all of a network, is within a network.",
            [
                text("containing_prefix", ""),
                text("contained_ip_or_prefix", ""),
            ],
            gives_bool,
            cidrcontains,
        ),
        Function::new(
            "cidrhost",
            "The address of a host by its number within a network, from the end if negative.",
            [text("prefix", ""), number("hostnum", "")],
            gives_string,
            cidrhost,
        ),
        Function::new(
            "cidrnetmask",
            "The mask of an IPv4 network in dotted form.",
            [text("prefix", "")],
            gives_string,
            cidrnetmask,
        ),
        Function::new(
            "cidrsubnet",
            "A network within a network, by its number and the bits that its prefix is longer.",
            [text("prefix", ""), number("newbits", ""), number("netnum", "")],
            gives_string,
            cidrsubnet,
        ),
        Function::new(
            "cidrsubnets",
            "Networks within a network, one after the other, by the bits that their prefixes are longer.",
            [text("prefix", "")],
            gives_strings,
            cidrsubnets,
        )
        .with_variadic(number("newbits", "")),
    ]
}

/// A network: its first address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first: u128,
    prefix: u32,
    /// 32 or 128.
    width: u32,
}

impl Network {
    /// Reads `address/prefix`. Numbers of IPv4 addresses may begin with zeros and are decimal nevertheless.
    fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("invalid CIDR address: {text}");
        let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let (address, width) = match parse_v4(address) {
            Some(address) => (u128::from(u32::from(address)), 32),
            None => (
                u128::from(address.parse::<Ipv6Addr>().map_err(|_| invalid())?),
                128,
            ),
        };
        let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix
            .parse()
            .ok()
            .filter(|prefix| is_number && *prefix <= width)
            .ok_or_else(invalid)?;
        let mut network = Self {
            first: address,
            prefix,
            width,
        };
        // An IPv4 network written as IPv6 is one nevertheless.
        if let (128, Some(address), Some(prefix)) = (
            width,
            Ipv6Addr::from(address).to_ipv4_mapped(),
            prefix.checked_sub(96),
        ) {
            network = Self {
                first: u128::from(u32::from(address)),
                prefix,
                width: 32,
            };
        }
        network.first &= !network.host_mask();
        Ok(network)
    }

    /// One bit for each bit of an address within the network.
    const fn host_mask(self) -> u128 {
        match self.width - self.prefix {
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        }
    }

    fn address_text(self, address: u128) -> String {
        let address = if self.width == 32 {
            IpAddr::V4(Ipv4Addr::from(
                u32::try_from(address & u128::from(u32::MAX)).unwrap_or(0),
            ))
        } else {
            IpAddr::V6(Ipv6Addr::from(address))
        };
        address.to_string()
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address_text(self.first), self.prefix)
    }
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts
            .next()
            .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

fn network(value: &Value) -> Result<Network, String> {
    Network::parse(text_of(value)).map_err(|problem| format!("invalid CIDR expression: {problem}"))
}

/// The network that a network or a single address is.
fn network_or_address(text: &str) -> Result<Network, String> {
    if text.contains('/') {
        return Network::parse(text)
            .map_err(|problem| format!("invalid CIDR expression: {problem}"));
    }
    let width = if parse_v4(text).is_some() { 32 } else { 128 };
    Network::parse(&format!("{text}/{width}")).map_err(|_| format!("invalid IP address: {text}"))
}

fn cidrcontains(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let outer = network(&arguments[0]).blame(0)?;
    let inner = network_or_address(text_of(&arguments[1])).blame(1)?;
    if outer.width != inner.width {
        let family = |network: Network| if network.width == 32 { "IPv4" } else { "IPv6" };
        return Err(CallError::call(format!(
            "address family mismatch: {} vs. {}",
            family(outer),
            family(inner)
        )));
    }
    let contains = outer.prefix <= inner.prefix && inner.first & !outer.host_mask() == outer.first;
    Ok(Value::bool(contains))
}

fn cidrhost(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let number = big_integer_of(&arguments[1]).blame_call()?;
    let network = network(&arguments[0]).blame_call()?;
    let last = BigInt::from(network.host_mask());
    let from_start = if number < BigInt::ZERO {
        &last + 1 + &number
    } else {
        number.clone()
    };
    let host = u128::try_from(&from_start)
        .ok()
        .filter(|host| *host <= network.host_mask())
        .ok_or_else(|| {
            CallError::call(format!(
                "prefix of {} does not accommodate a host numbered {from_start}",
                network.prefix
            ))
        })?;
    Ok(Value::from(network.address_text(network.first | host)))
}

fn cidrnetmask(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let network = network(&arguments[0]).blame_call()?;
    if network.width != 32 {
        let message = format!(
            "IPv6 addresses cannot have a netmask: {}",
            text_of(&arguments[0])
        );
        return Err(CallError::call(message));
    }
    Ok(Value::from(network.address_text(!network.host_mask())))
}

fn cidrsubnet(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let new_bits = integer_of(&arguments[1]).blame_call()?;
    let number = big_integer_of(&arguments[2]).blame_call()?;
    let network = network(&arguments[0]).blame_call()?;
    let prefix = i64::from(network.prefix).saturating_add(new_bits);
    let prefix = u32::try_from(prefix)
        .ok()
        .filter(|prefix| *prefix <= network.width);
    let Some(prefix) = prefix else {
        let message = format!(
            "insufficient address space to extend prefix of {} by {new_bits}",
            network.prefix
        );
        return Err(CallError::call(message));
    };
    let subnet = Network { prefix, ..network };
    let refused = || {
        let message = format!(
            "prefix extension of {new_bits} does not accommodate a subnet numbered {number}"
        );
        CallError::call(message)
    };
    let index = u128::try_from(&number).map_err(|_| refused())?;
    let shift = network.width - prefix;
    let greatest = if new_bits < 0 {
        0
    } else {
        network.host_mask().checked_shr(shift).unwrap_or(0)
    };
    if index > greatest {
        return Err(refused());
    }
    let first = network.first | index.checked_shl(shift).unwrap_or(0);
    Ok(Value::from(Network { first, ..subnet }.to_string()))
}

fn cidrsubnets(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let network = network(&arguments[0]).blame(0)?;
    let end = network.first | network.host_mask();
    // The first address that is not taken yet; none when the end of all addresses is reached.
    let mut free = Some(network.first);
    let mut previous: Option<Network> = None;
    let mut subnets = Vec::new();
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        let new_bits = integer_of(argument).blame(index)?;
        let prefix = subnet_prefix(network, new_bits).blame(index)?;
        let subnet = Network { prefix, ..network };
        let mask = subnet.host_mask();
        let first = free
            .and_then(|free| free.checked_add(mask))
            .map(|address| address & !mask);
        let Some(first) = first.filter(|first| first | mask <= end && *first <= end) else {
            let after = previous.map_or(network, |previous| previous);
            let message = format!(
                "not enough remaining address space for a subnet with a prefix of {prefix} bits after {after}"
            );
            return Err(CallError::argument(index, message));
        };
        let subnet = Network { first, ..subnet };
        free = (first | mask).checked_add(1).filter(|free| *free <= end);
        previous = Some(subnet);
        subnets.push(Value::from(subnet.to_string()));
    }
    Ok(Value::list(Type::String, subnets))
}

fn subnet_prefix(network: Network, new_bits: i64) -> Result<u32, String> {
    let new_bits = match u32::try_from(new_bits) {
        Ok(0) | Err(_) if new_bits < 1 => {
            return Err("must extend prefix by at least one bit".to_owned());
        }
        Ok(bits) if bits <= 32 => bits,
        _ => return Err("may not extend prefix by more than 32 bits".to_owned()),
    };
    let prefix = network.prefix + new_bits;
    if prefix > network.width {
        let protocol = if network.width == 32 { "IPv4" } else { "IPv6" };
        return Err(format!(
            "would extend prefix to {prefix} bits, which is too long for an {protocol} address"
        ));
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use crate::support::tests::check;

    #[test]
    fn hosts() {
        check(&[
            ("cidrhost", r#"["10.12.112.0/20", 16]"#, r#""10.12.112.16""#),
            (
                "cidrhost",
                r#"["10.12.112.0/20", -1]"#,
                r#""10.12.127.255""#,
            ),
            (
                "cidrhost",
                r#"["10.12.112.0/30", 5]"#,
                "! prefix of 30 does not accommodate a host numbered 5",
            ),
            (
                "cidrhost",
                r#"["fd00:fd12:3456:7890::/72", 34]"#,
                r#""fd00:fd12:3456:7890::22""#,
            ),
            (
                "cidrhost",
                r#"["10.0.0.0", 1]"#,
                "! invalid CIDR expression: invalid CIDR address: 10.0.0.0",
            ),
            ("cidrhost", r#"["010.001.0.0/16", 1]"#, r#""10.1.0.1""#),
            (
                "cidrhost",
                r#"["::/0", -1]"#,
                r#""ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff""#,
            ),
            ("cidrnetmask", r#"["172.16.0.0/12"]"#, r#""255.240.0.0""#),
            (
                "cidrnetmask",
                r#"["fd00::/8"]"#,
                "! IPv6 addresses cannot have a netmask: fd00::/8",
            ),
        ]);
    }

    #[test]
    fn subnets() {
        check(&[
            (
                "cidrsubnet",
                r#"["172.16.0.0/12", 4, 2]"#,
                r#""172.18.0.0/16""#,
            ),
            (
                "cidrsubnet",
                r#"["fd00:fd12:3456:7890::/56", 16, 162]"#,
                r#""fd00:fd12:3456:7800:a200::/72""#,
            ),
            ("cidrsubnet", r#"["0.0.0.0/0", 0, 0]"#, r#""0.0.0.0/0""#),
            ("cidrsubnet", r#"["10.1.0.0/16", -8, 0]"#, r#""10.1.0.0/8""#),
            (
                "cidrsubnet",
                r#"["::ffff:1.2.3.4/120", 1, 1]"#,
                r#""1.2.3.128/25""#,
            ),
            (
                "cidrsubnet",
                r#"["10.1.2.0/24", 4, 16]"#,
                "! prefix extension of 4 does not accommodate a subnet numbered 16",
            ),
            (
                "cidrsubnet",
                r#"["10.0.0.0/30", 3, 0]"#,
                "! insufficient address space to extend prefix of 30 by 3",
            ),
            (
                "cidrsubnets",
                r#"["10.1.0.0/16", 4, 4, 8, 4]"#,
                r#"["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"]"#,
            ),
            (
                "cidrsubnets",
                r#"["255.255.255.0/24", 1, 1]"#,
                r#"["255.255.255.0/25","255.255.255.128/25"]"#,
            ),
            (
                "cidrsubnets",
                r#"["10.0.0.0/24", 1, 1, 1]"#,
                "!3 not enough remaining address space for a subnet with a prefix of 25 bits after 10.0.0.128/25",
            ),
            (
                "cidrsubnets",
                r#"["10.0.0.0/24", 0]"#,
                "!1 must extend prefix by at least one bit",
            ),
            (
                "cidrsubnets",
                r#"["10.0.0.0/8", 33]"#,
                "!1 may not extend prefix by more than 32 bits",
            ),
            (
                "cidrsubnets",
                r#"["10.0.0.0/24", 9]"#,
                "!1 would extend prefix to 33 bits, which is too long for an IPv4 address",
            ),
        ]);
    }

    #[test]
    fn networks_within_networks() {
        check(&[
            ("cidrcontains", r#"["10.0.0.0/8", "10.1.2.3"]"#, "true"),
            ("cidrcontains", r#"["10.0.0.0/8", "10.1.0.0/16"]"#, "true"),
            ("cidrcontains", r#"["10.1.0.0/16", "10.0.0.0/8"]"#, "false"),
            ("cidrcontains", r#"["10.0.0.0/8", "11.0.0.1"]"#, "false"),
            ("cidrcontains", r#"["fd00::/8", "fd12::1"]"#, "true"),
            (
                "cidrcontains",
                r#"["10.0.0.0/8", "fd00::1"]"#,
                "! address family mismatch: IPv4 vs. IPv6",
            ),
            (
                "cidrcontains",
                r#"["10.0.0.0/8", "x"]"#,
                "!1 invalid IP address: x",
            ),
        ]);
    }
}
